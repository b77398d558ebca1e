"""What a token's scopes allow, in both syntaxes of SMART, and what becomes of the token itself."""

from __future__ import annotations

import copy
import pickle

import msgspec
import pytest

from cds_hooks.fhir_access.authorization import read_authorization
from cds_hooks.fhir_access.scopes import READ, SEARCH, Grant, Grants
from cds_hooks.secret import Secret

WHOLE, PART, NO = Grant.WHOLE, Grant.PART, Grant.NO

# scopes -> what is granted for reading a Patient, for searching Observations
SCOPES: list[tuple[str, Grant, Grant]] = [
    ("", WHOLE, WHOLE),
    ("   ", WHOLE, WHOLE),
    ("patient/*.read", WHOLE, WHOLE),
    ("user/*.*", WHOLE, WHOLE),
    ("system/*.read", WHOLE, WHOLE),
    ("patient/Observation.read", NO, WHOLE),
    ("patient/Observation.*", NO, WHOLE),
    ("user/Patient.read user/Observation.read", WHOLE, WHOLE),
    ("patient/Observation.write", NO, NO),
    ("patient/Observation.rs", NO, WHOLE),
    ("patient/Observation.cruds", NO, WHOLE),
    ("patient/Observation.r", NO, NO),
    ("patient/Patient.r patient/Observation.s", WHOLE, WHOLE),
    ("patient/Patient.s", NO, NO),
    ("patient/*.rs", WHOLE, WHOLE),
    ("patient/*.cud", NO, NO),
    ("patient/Observation.rs?category=laboratory", NO, PART),
    ("patient/Observation.rs?category=laboratory patient/Observation.rs", NO, WHOLE),
    ("patient/Observation.rs patient/Observation.rs?category=laboratory", NO, WHOLE),
    ("patient/*.rs?_security=N", PART, PART),
    ("launch openid fhirUser", NO, NO),
    ("patient/Observation.sr", NO, NO),
    ("patient/Observation", NO, NO),
    ("launch/patient offline_access", NO, NO),
    ("launch patient/Observations.read", NO, NO),
    ("patient/observation.read", NO, NO),
    ("patient/Observation.READ", NO, NO),
    ("patient/*.reads", NO, NO),
    ("Observation.read", WHOLE, WHOLE),
    ("admin/*.read", WHOLE, WHOLE),
    ("xpatient/*.read", WHOLE, WHOLE),
    ("ALLERGYINTOLERANCE.READ Observation.Search (Labs) (R4) MedicationRequest.Read (R4)", WHOLE, WHOLE),
    ("EPIC.FHIR.R4.SERVICES.MEDICATIONREQUEST.CREATE launch", WHOLE, WHOLE),
    ("EPIC.FHIR.R4.SERVICES.CONDITION.READ patient/Observation.read", NO, WHOLE),
]


@pytest.mark.parametrize(("scopes", "patient", "results"), SCOPES, ids=[row[0] or "none" for row in SCOPES])
def test_what_scopes_grant(scopes: str, patient: Grant, results: Grant) -> None:
    grants = Grants(scopes)
    assert (grants.of("Patient", READ), grants.of("Observation", SEARCH)) == (patient, results)


# fhirAuthorization as it came -> the token
TOKENS: list[tuple[str, str | None]] = [
    ('{"access_token":"abc","token_type":"Bearer"}', "abc"),
    ('{"access_token":"abc","token_type":"bearer","expires_in":"300","scope":7,"patient":null}', "abc"),
    ('{"access_token":"a.b-c_d~e+f/g=","token_type":"Bearer"}', "a.b-c_d~e+f/g="),
    ('{"access_token":"","token_type":"Bearer"}', None),
    ('{"access_token":" ","token_type":"Bearer"}', None),
    ('{"access_token":"a b","token_type":"Bearer"}', None),
    ('{"access_token":"a\\r\\nHost: evil","token_type":"Bearer"}', None),
    ('{"access_token":"ä","token_type":"Bearer"}', None),
    ('{"access_token":null,"token_type":"Bearer"}', None),
    ('{"access_token":7,"token_type":"Bearer"}', None),
    ('{"access_token":["abc"],"token_type":"Bearer"}', None),
    ('{"access_token":"abc"}', None),
    ('{"access_token":"abc","token_type":"mac"}', None),
    ('{"access_token":"abc","token_type":"DPoP"}', None),
    ('{"token_type":"Bearer"}', None),
    ('"abc"', None),
    ("[]", None),
    ("null", None),
    ("7", None),
    ("", None),
    ("[" * 5000 + "]" * 5000, None),
]


@pytest.mark.parametrize(("raw", "token"), TOKENS, ids=[row[0][:60] or "nothing" for row in TOKENS])
def test_which_token_is_one(raw: str, token: str | None) -> None:
    found = read_authorization(msgspec.Raw(raw.encode())).token
    assert (found.reveal() if found is not None else None) == token


def test_what_else_an_authorization_says() -> None:
    found = read_authorization(b'{"patient":" Patient/p1 ","scope":["patient/Patient.read","openid"]}')
    assert found.patient == "p1"
    assert found.grants.of("Patient", READ) is WHOLE
    assert found.grants.of("Observation", SEARCH) is NO


def test_a_secret_is_never_shown() -> None:
    secret = Secret("canary-1f")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>40}", f"{secret!r}", "%s" % secret, repr([secret])]  # noqa: UP031
    assert not [text for text in shown if "canary" in text]
    assert str(secret) == "***"


def test_a_secret_leaves_the_process_in_no_shape() -> None:
    secret = Secret("canary-1f")
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy, msgspec.json.encode, vars, lambda one: one.__getstate__()):
        with pytest.raises(TypeError) as refused:
            attempt(secret)
        assert "canary" not in str(refused.value)
