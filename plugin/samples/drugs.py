"""The products of the sample orders, by RxNorm code and name."""

from __future__ import annotations

from plugin.samples.fhir_parts import Json, drug

HALOPERIDOL_2_TABLET = drug("314034", "haloperidol 2 MG Oral Tablet")
HALOPERIDOL_5_TABLET = drug("310672", "haloperidol 5 MG Oral Tablet")
HALOPERIDOL_INJECTION = drug("204416", "haloperidol 5 MG/ML Injectable Solution")
HALOPERIDOL_DECANOATE = drug("859867", "haloperidol decanoate 50 MG/ML Injectable Solution")
DROPERIDOL_INJECTION = drug("282485", "Droperidol 2.5 MG/ML Injectable Solution")
METOCLOPRAMIDE_TABLET = drug("311666", "Metoclopramide 10 MG Oral Tablet")
METOCLOPRAMIDE_INJECTION = drug("311670", "Metoclopramide 5 MG/ML Injectable Solution")
PROCHLORPERAZINE_TABLET = drug("198365", "prochlorperazine 10 MG Oral Tablet")
PROCHLORPERAZINE_INJECTION = drug("314192", "Prochlorperazine 5 MG/ML Injectable Solution")
PROMETHAZINE_TABLET = drug("992447", "promethazine hydrochloride 25 MG Oral Tablet")
PROMETHAZINE_INJECTION = drug("992460", "1 ML promethazine hydrochloride 25 MG/ML Injection")
PROMETHAZINE_LIQUID = drug("992432", "promethazine hydrochloride 1.25 MG/ML Oral Solution")
OLANZAPINE_TABLET = drug("312078", "olanzapine 5 MG Oral Tablet")
OLANZAPINE_INJECTION = drug("485968", "olanzapine 10 MG Injection")
RISPERIDONE_TABLET = drug("312830", "risperidone 1 MG Oral Tablet")
ARIPIPRAZOLE_TABLET = drug("349545", "aripiprazole 10 MG Oral Tablet")
QUETIAPINE_TABLET = drug("312743", "quetiapine 100 MG Oral Tablet")
CHLORPROMAZINE_TABLET = drug("991194", "chlorpromazine hydrochloride 25 MG Oral Tablet")
CHLORPROMAZINE_INJECTION = drug("1730076", "1 ML chlorpromazine hydrochloride 25 MG/ML Injection")
ONDANSETRON_TABLET = drug("198052", "Ondansetron 4 MG Oral Tablet")
ONDANSETRON_INJECTION = drug("1740467", "2 ML Ondansetron 2 MG/ML Injection")
CALCIUM_TABLET = drug("282465", "Calcium Carbonate 1250 MG Oral Tablet")
MAGNESIUM_TABLET = drug("198741", "Magnesium Oxide 400 MG Oral Tablet")
BENZTROPINE_TABLET = drug("885213", "benztropine mesylate 1 MG Oral Tablet")
DIPHENHYDRAMINE_CAPSULE = drug("1049909", "diphenhydramine hydrochloride 25 MG Oral Capsule")
SERTRALINE_TABLET = drug("312941", "sertraline 50 MG Oral Tablet")
CARBAMAZEPINE_TABLET = drug("308979", "Carbamazepine 200 MG Oral Tablet")
PANTOPRAZOLE_TABLET = drug("314200", "pantoprazole 40 MG Enteric Coated Tablet")

PROCHLORPERAZINE_AS_TEXT: Json = {"text": "prochlorperazine 10 mg IV"}
AMOXICILLIN_AS_TEXT: Json = {"text": "amoxicillin 500 mg capsule"}
