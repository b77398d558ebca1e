"""Invented patients, orders and problems for the try-it page. No real person is meant; no dose here is advice."""

from plugin.samples.models import SampleCondition, SampleOrder, SamplePatient
from plugin.samples.orders import ORDERS
from plugin.samples.patients import PATIENTS
from plugin.samples.problems import CONDITIONS

__all__ = ["CONDITIONS", "ORDERS", "PATIENTS", "SampleCondition", "SampleOrder", "SamplePatient"]
