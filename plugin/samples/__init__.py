"""Invented patients and orders for the try-it page. No real person is meant; no dose here is advice."""

from plugin.samples.models import SampleOrder, SamplePatient
from plugin.samples.orders import ORDERS
from plugin.samples.patients import PATIENTS

__all__ = ["ORDERS", "PATIENTS", "SampleOrder", "SamplePatient"]
