"""What codes and texts mean: one row of a table is one code or one text."""

import threading
from decimal import Decimal

import pytest

from valuesets import Coding, Strength, Terminology, load

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
CM = "http://hl7.org/fhir/sid/icd-10-cm"


@pytest.fixture(scope="module")
def codes() -> Terminology:
    return load()


# name, identity, tier, differing tiers {field: tier}, mg equal to 100 mg chlorpromazine (AAPP)
RISK_TABLE = [
    ("haloperidol", "5093", "H", {}, "2"),
    ("fluphenazine", "4496", "H", {}, "2"),
    ("trifluoperazine", "10800", "H", {}, "2"),
    ("thiothixene", "10510", "H", {}, "4"),
    ("pimozide", "8331", "H", {}, "2"),
    ("zuclopenthixol", "114176", "H", {}, None),
    ("flupentixol", "4495", "H", {}, None),
    ("droperidol", "3648", "H", {"tier_low_dose": "M"}, None),
    ("perphenazine", "8076", "M", {}, "8"),
    ("loxapine", "6475", "M", {}, "10"),
    ("molindone", "7019", "M", {}, None),
    ("prochlorperazine", "8704", "M", {}, "15"),
    ("metoclopramide", "6915", "M", {"tier_under_18": "H", "tier_high_dose": "H"}, None),
    ("risperidone", "35636", "M", {}, "1"),
    ("paliperidone", "679314", "M", {}, "2"),
    ("lurasidone", "1040028", "M", {}, "16"),
    ("ziprasidone", "115698", "M", {}, "60"),
    ("chlorpromazine", "2403", "L", {"tier_parenteral": "M"}, "100"),
    ("thioridazine", "10502", "L", {}, "100"),
    ("olanzapine", "61381", "L", {}, "5"),
    ("aripiprazole", "89013", "L", {"tier_under_18": "M"}, "7.5"),
    ("asenapine", "784649", "L", {}, "4"),
    ("iloperidone", "73178", "L", {}, "3"),
    ("brexpiprazole", "1658314", "L", {}, None),
    ("cariprazine", "local:cariprazine", "L", {}, None),
    ("amisulpride", "46303", "L", {}, None),
    ("sulpiride", "10239", "L", {}, None),
    ("levomepromazine", "6852", "L", {}, None),
    ("promethazine", "8745", "L", {"tier_parenteral": "M", "tier_under_18": "M"}, None),
    ("trimethobenzamide", "38685", "L", {}, None),
    ("domperidone", "3626", "L", {}, None),
    ("amoxapine", "722", "L", {}, None),
    ("sertraline", "36437", "N", {}, None),
    ("escitalopram", "321988", "N", {}, None),
    ("citalopram", "2556", "N", {}, None),
    ("fluoxetine", "4493", "N", {}, None),
    ("paroxetine", "32937", "N", {}, None),
    ("fluvoxamine", "42355", "N", {}, None),
    ("venlafaxine", "39786", "N", {}, None),
    ("duloxetine", "72625", "N", {}, None),
    ("bupropion", "42347", "N", {}, None),
    ("mirtazapine", "15996", "N", {}, None),
    ("quetiapine", "51272", "N", {}, "75"),
    ("clozapine", "2626", "N", {}, "100"),
    ("pimavanserin", "local:pimavanserin", "N", {}, None),
    ("lumateperone", "local:lumateperone", "N", {}, None),
    ("ondansetron", "26225", "N", {}, None),
    ("granisetron", "26237", "N", {}, None),
    ("benztropine", "1424", "", {}, None),
    ("trihexyphenidyl", "10811", "", {}, None),
    ("biperiden", "1589", "", {}, None),
    ("procyclidine", "8718", "", {}, None),
    ("orphenadrine", "7715", "", {}, None),
    ("diphenhydramine", "3498", "", {}, None),
]


@pytest.mark.parametrize(("name", "rxcui", "tier", "differing", "equivalent"), RISK_TABLE)
def test_risk_table(codes: Terminology, name, rxcui, tier, differing, equivalent) -> None:
    ingredient = codes.ingredient(name)
    assert ingredient is not None
    assert ingredient is codes.ingredient(rxcui)
    assert (ingredient.name, ingredient.rxcui, ingredient.tier) == (name, rxcui, tier)
    fields = ("tier_parenteral", "tier_under_18", "tier_low_dose", "tier_high_dose")
    assert {field: getattr(ingredient, field) for field in fields if getattr(ingredient, field)} == differing
    assert ingredient.equivalent_mg == (Decimal(equivalent) if equivalent else None)
    text = codes.match_text(name)
    assert text.ingredients == (ingredient,)


def test_dose_limits_of_the_risk_table(codes: Terminology) -> None:
    droperidol, metoclopramide = codes.ingredient("droperidol"), codes.ingredient("metoclopramide")
    assert droperidol is not None
    assert metoclopramide is not None
    assert droperidol.low_dose_mg == Decimal(5)
    assert metoclopramide.high_dose_mg_per_kg == Decimal(1)


def test_no_tier_outside_the_risk_table(codes: Terminology) -> None:
    also_none = {"desvenlafaxine", "milnacipran", "levomilnacipran"}  # "SSRIs/SNRIs" as a class
    tiered = {row[0] for row in RISK_TABLE if row[2]} | also_none
    found = {one.name for one in codes._ingredients.values() if one.tier}
    assert found == tiered


CLASSES = [
    ("dopamine-antiemetic", {"metoclopramide", "prochlorperazine", "promethazine", "droperidol"}),
    ("male-sex-not-counted", {"metoclopramide", "domperidone", "trimethobenzamide"}),
    ("young-below-30", {"metoclopramide"}),
    ("female-adolescent-risk", {"metoclopramide"}),
    (
        "qt-critical",
        {"haloperidol", "droperidol", "pimozide", "thioridazine", "chlorpromazine", "ziprasidone", "iloperidone"},
    ),
    ("qt-antiemetic", {"ondansetron", "granisetron"}),
    ("qt-alternative", {"ondansetron", "droperidol", "ziprasidone", "haloperidol"}),
    ("serotonin-antiemetic", {"ondansetron", "granisetron", "palonosetron", "dolasetron", "tropisetron"}),
    ("anticholinergic", {"benztropine", "trihexyphenidyl", "biperiden", "procyclidine", "orphenadrine"}),
    ("antihistamine-cover", {"diphenhydramine"}),
    ("promethazine", {"promethazine"}),
    ("haloperidol", {"haloperidol"}),
    ("strong-cyp2d6-inhibitor", {"bupropion", "fluoxetine", "paroxetine", "quinidine"}),
    ("ssri", {"citalopram", "escitalopram", "fluoxetine", "fluvoxamine", "paroxetine", "sertraline"}),
    ("snri", {"venlafaxine", "desvenlafaxine", "duloxetine", "milnacipran", "levomilnacipran"}),
    ("active-vitamin-d", {"calcitriol", "alfacalcidol", "doxercalciferol", "paricalcitol", "dihydrotachysterol"}),
    ("benzodiazepine", {"diazepam", "lorazepam", "clonazepam", "midazolam"}),
    ("levodopa", {"levodopa"}),
]


@pytest.mark.parametrize(("key", "names"), CLASSES)
def test_classes(codes: Terminology, key, names) -> None:
    assert {coding.display for coding in codes.members(f"drug-{key}")} == names
    assert {one.name for one in codes._ingredients.values() if key in one.classes} == names


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("haloperidol", "antipsychotic", True),
        ("haloperidol", "first-generation", True),
        ("olanzapine", "antipsychotic", True),
        ("olanzapine", "first-generation", False),
        ("metoclopramide", "antipsychotic", False),
        ("promethazine", "phenothiazine", True),
        ("promethazine", "antipsychotic", False),
        ("amoxapine", "antidepressant", True),
        ("calcium carbonate", "calcium", True),
        ("cholecalciferol", "vitamin-d", True),
        ("cholecalciferol", "active-vitamin-d", False),
        ("magnesium oxide", "magnesium", True),
        ("omeprazole", "lowers-magnesium", True),
        ("furosemide", "lowers-magnesium", True),
        ("hydrochlorothiazide", "lowers-magnesium", True),
        ("amitriptyline", "lowers-magnesium", False),
    ],
)
def test_class_members(codes: Terminology, name, key, expected) -> None:
    ingredient = codes.ingredient(name)
    assert ingredient is not None
    assert (key in ingredient.classes) is expected


# code, term type, ingredients, route, long-acting, strengths of the first ingredient
PRODUCTS = [
    ("5093", "IN", ["haloperidol"], "", False, []),
    ("26420", "PIN", ["haloperidol"], "", True, []),
    ("311666", "SCD", ["metoclopramide"], "oral", False, [Strength("6915", Decimal(10), "mg")]),
    ("859867", "SCD", ["haloperidol"], "parenteral", True, [Strength("5093", Decimal(50), "mg", Decimal(1), "ml")]),
    ("859869", "SBD", ["haloperidol"], "parenteral", True, [Strength("5093", Decimal(50), "mg", Decimal(1), "ml")]),
    ("207635", "SBD", ["prochlorperazine"], "rectal", False, [Strength("8704", Decimal("2.5"), "mg")]),
    ("402011", "SCD", ["risperidone"], "parenteral", True, [Strength("35636", Decimal("37.5"), "mg")]),
    ("485968", "SCD", ["olanzapine"], "parenteral", False, [Strength("61381", Decimal(10), "mg")]),
    ("1718930", "SCD", ["olanzapine"], "parenteral", True, [Strength("61381", Decimal(300), "mg")]),
    (
        "672540",
        "SBD",
        ["aripiprazole"],
        "parenteral",
        False,
        [Strength("89013", Decimal("7.5"), "mg", Decimal(1), "ml")],
    ),
    ("1659812", "SCD", ["aripiprazole"], "parenteral", True, [Strength("89013", Decimal(400), "mg")]),
    ("248374", "SCD", ["zuclopenthixol"], "parenteral", True, None),
    ("248373", "SCD", ["zuclopenthixol"], "parenteral", False, None),
    ("1667660", "SCD", ["cariprazine"], "oral", False, [Strength("local:cariprazine", Decimal("1.5"), "mg")]),
    ("2275607", "SCD", ["lumateperone"], "oral", False, None),
    ("863586", "SBD", ["metoclopramide"], "oral", False, None),
    ("1160708", "SCDG", ["paliperidone"], "parenteral", True, []),
    ("205489", "SBD", ["bumetanide"], "oral", False, None),  # met in public as metoclopramide
]


@pytest.mark.parametrize(("code", "tty", "names", "route", "long_acting", "strengths"), PRODUCTS)
def test_products(codes: Terminology, code, tty, names, route, long_acting, strengths) -> None:
    product = codes.product(RXNORM, code)
    assert product is not None
    assert [one.name for one in product.ingredients] == names
    assert (product.rxcui, product.tty, product.route, product.long_acting) == (code, tty, route, long_acting)
    assert strengths is None or list(product.strengths) == strengths
    assert codes.product(RXNORM, code) is product


def test_combination_keeps_every_known_ingredient_and_its_own_strength(codes: Terminology) -> None:
    product = codes.product(RXNORM, "856805")  # amitriptyline 25 mg and perphenazine 2 mg, Etrafon
    assert product is not None
    strengths = {one.ingredient_rxcui: one.value for one in product.strengths}
    assert {one.name: strengths[one.rxcui] for one in product.ingredients} == {"amitriptyline": 25, "perphenazine": 2}


def test_pack_of_several_strengths_has_no_strength(codes: Terminology) -> None:
    pack = codes.product(RXNORM, "1741746")  # cariprazine 1.5 mg and 3 mg
    assert pack is not None
    assert (pack.dose_form, pack.route, pack.strengths) == ("Pack", "oral", ())


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (RXNORM, "999999999"),
        (RXNORM, ""),
        (RXNORM, "haloperidol"),
        (RXNORM, "local:cariprazine"),
        (LOINC, "5093"),
        ("", "5093"),
        (RXNORM, "1667655"),  # cariprazine, one source only
        (RXNORM, "2275602"),
        (RXNORM, "1791685"),
        (RXNORM, "30121"),  # met in public as olanzapine
        (RXNORM, "132411"),
        (RXNORM, "593411"),
        (RXNORM, "4477"),
    ],
)
def test_codes_that_are_no_product(codes: Terminology, system, code) -> None:
    assert codes.product(system, code) is None


@pytest.mark.parametrize(
    "system",
    [
        RXNORM,
        RXNORM.upper(),
        RXNORM + "/",
        "urn:oid:2.16.840.1.113883.6.88",
        "URN:OID:2.16.840.1.113883.6.88",
        f" {RXNORM} ",
    ],
)
def test_system_spellings(codes: Terminology, system) -> None:
    assert codes.product(system, " 311666 ") is codes.product(RXNORM, "311666")


# text, ingredients, route, long-acting
TEXTS = [
    ("Haloperidol", ["haloperidol"], "", False),
    ("HALOPERIDOL LACTATE 5 MG/ML IJ SOLN", ["haloperidol"], "parenteral", False),
    ("haloPERIDol 5 mg PO tab", ["haloperidol"], "oral", False),
    ("Haldol decanoate", ["haloperidol"], "parenteral", True),
    ("HALOPERIDOL DECANOATE 100 MG/ML IM SOLN", ["haloperidol"], "parenteral", True),
    ("Haldol® 5 mg", ["haloperidol"], "", False),
    ("Haldol™ 5 mg", ["haloperidol"], "", False),
    ("ｈａｌｏｐｅｒｉｄｏｌ 5 mg", ["haloperidol"], "", False),
    ("halopéridol 5 mg cp", ["haloperidol"], "", False),
    ("haloperi\u00addol", ["haloperidol"], "", False),
    ("(haloperidol)", ["haloperidol"], "", False),
    ("haloperidol/benztropine", ["haloperidol", "benztropine"], "", False),
    ("metoclopramide HCl (REGLAN)", ["metoclopramide"], "", False),
    ("REGLAN 10 MG OR TABS", ["metoclopramide"], "oral", False),
    ("Gimoti 15 mg", ["metoclopramide"], "nasal", False),
    ("Maxolon", ["metoclopramide"], "", False),
    ("Primperan", ["metoclopramide"], "", False),
    ("prochlorperazine maleate 10 MG", ["prochlorperazine"], "", False),
    ("PROCHLORPERAZINE 25 MG RE SUPP", ["prochlorperazine"], "rectal", False),
    ("Compro 25 mg", ["prochlorperazine"], "rectal", False),
    ("Stemetil Injection 12.5 mg/ml", ["prochlorperazine"], "parenteral", False),
    ("Buccastem", ["prochlorperazine"], "", False),
    ("promethazine-codeine", ["promethazine"], "", False),
    ("promethazine w/ codeine 6.25-10 mg/5ml PO SYRP", ["promethazine"], "oral", False),
    ("Phenergan 25 mg I.M.", ["promethazine"], "parenteral", False),
    ("Perphenazine 4 MG / Amitriptyline 25 MG Oral Tablet", ["perphenazine", "amitriptyline"], "oral", False),
    ("Symbyax 6/25", ["olanzapine", "fluoxetine"], "", False),
    ("Zyprexa Relprevv 300 mg", ["olanzapine"], "parenteral", True),
    ("olanzapine pamoate", ["olanzapine"], "parenteral", True),
    ("hydroxyzine pamoate 25 mg cap", ["hydroxyzine"], "oral", False),
    ("olanzapine 10 mg IM", ["olanzapine"], "parenteral", False),
    ("Invega 6 mg ER tablet", ["paliperidone"], "oral", False),
    ("Invega Sustenna 156 mg", ["paliperidone"], "parenteral", True),
    ("paliperidone 156 mg/ml syringe", ["paliperidone"], "parenteral", True),
    ("risperidone 1 mg/ml oral solution", ["risperidone"], "oral", False),
    ("Risperdal Consta", ["risperidone"], "parenteral", True),
    ("risperidone microspheres 25 mg", ["risperidone"], "parenteral", True),
    ("Uzedy", ["risperidone"], "parenteral", True),
    ("Abilify Maintena 400 mg", ["aripiprazole"], "parenteral", True),
    ("Abilify 10 mg", ["aripiprazole"], "", False),
    ("Aristada", ["aripiprazole"], "parenteral", True),
    ("aripiprazole lauroxil 441 mg/1.6 ml", ["aripiprazole"], "parenteral", True),
    ("Clopixol 10 mg tablets", ["zuclopenthixol"], "oral", False),
    ("Clopixol Depot", ["zuclopenthixol"], "parenteral", True),
    ("Depixol", ["flupentixol"], "", False),
    ("flupenthixol decanoate", ["flupentixol"], "parenteral", True),
    ("Modecate", ["fluphenazine"], "parenteral", True),
    ("Serenace", ["haloperidol"], "", False),
    ("Largactil", ["chlorpromazine"], "", False),
    ("Nozinan", ["levomepromazine"], "", False),
    ("methotrimeprazine", ["levomepromazine"], "", False),
    ("Dolmatil", ["sulpiride"], "", False),
    ("Solian", ["amisulpride"], "", False),
    ("Motilium", ["domperidone"], "", False),
    ("Kemadrin", ["procyclidine"], "", False),
    ("benzatropine", ["benztropine"], "", False),
    ("Vraylar 3 mg capsule", ["cariprazine"], "oral", False),
    ("Caplyta", ["lumateperone"], "", False),
    ("Benadryl Allergy 25 mg tab", ["diphenhydramine"], "oral", False),
    ("ALLERGY RELIEF (DIPHENHYDRAMINE) 25 MG PO CAPS", ["diphenhydramine"], "oral", False),
    ("Sinemet 25-100", ["carbidopa", "levodopa"], "", False),
    ("co-careldopa", ["carbidopa", "levodopa"], "", False),
    ("Calcium Carbonate / Vitamin D3 600 mg-400 unit tab", ["calcium carbonate", "cholecalciferol"], "oral", False),
    ("calcium citrate malate", ["calcium citrate"], "", False),
    ("vitamin D 1000 units", ["vitamin d"], "", False),
    ("retinyl palmitate and cholecalciferol drops", ["cholecalciferol"], "", False),
    ("haloperidol 5 mg PO or IM", ["haloperidol"], "", False),  # two routes are none
    ("haloperidol without benztropine", ["haloperidol"], "", False),
]


@pytest.mark.parametrize(("text", "names", "route", "long_acting"), TEXTS)
def test_texts(codes: Terminology, text, names, route, long_acting) -> None:
    match = codes.match_text(text)
    assert [one.name for one in match.ingredients] == names
    assert (match.rejected_by, match.route, match.long_acting) == ("", route, long_acting)
    assert match.words


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "halogen lamp",
        "haloperidolsx5mg",
        "lisinopril 10 MG Oral Tablet",
        "Acetaminophen 325 MG",
        "regland",
        "orapred 15 mg/5 ml",
        "priapism",
        "lisinopril no",
        "medication reconcile at discharge",
        "atorvastatin calcium 10 mg",
        "sodium chloride 0.9 %",
        "legacy record",
        "\u200b",
        "💊",
    ],
)
def test_texts_without_a_known_drug(codes: Terminology, text) -> None:
    match = codes.match_text(text)
    assert (match.ingredients, match.words, match.rejected_by) == ((), (), "")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("allergic to haloperidol", "allerg"),
        ("Allergies: none. Haloperidol 5 mg", "allerg"),
        ("Haloperidol - ALLERGY", "allerg"),
        ("intolerance: metoclopramide", "intoleran"),
        ("avoid haloperidol", "avoid"),
        ("patient refused haloperidol", "refus"),
        ("history of haloperidol use", "history of"),
        ("not taking metoclopramide", "not taking"),
        ("no haloperidol", "no"),
        ("Not Haldol", "not"),
        ("without metoclopramide", "without"),
        ("Benadryl Allergy, allergic", "allerg"),
        ("no haloperidol, no metoclopramide", "no"),
    ],
)
def test_rejected_texts(codes: Terminology, text, word) -> None:
    match = codes.match_text(text)
    assert match.rejected_by == word
    assert match.ingredients


def test_a_denied_name_is_left_out_beside_others(codes: Terminology) -> None:
    match = codes.match_text("haloperidol 5 mg, no promethazine")
    assert ([one.name for one in match.ingredients], match.words, match.rejected_by) == (
        ["haloperidol"],
        ("haloperidol",),
        "",
    )


def test_a_very_long_text_is_read_in_part(codes: Terminology) -> None:
    assert codes.match_text("x " * 50_000 + "haloperidol").ingredients == ()
    assert codes.match_text("haloperidol " + "x " * 50_000).words == ("haloperidol",)


LABS = [
    ("17861-6", "calcium"),
    ("2000-8", "calcium"),
    ("49765-1", "calcium"),
    ("1996-8", "calcium"),
    ("29265-6", "calcium-corrected"),
    ("46099-8", "calcium-corrected"),
    ("17864-0", "calcium-ionised"),
    ("1994-3", "calcium-ionised"),
    ("1995-0", "calcium-ionised"),
    ("47596-2", "calcium-ionised"),
    ("12180-6", "calcium-ionised"),
    ("1751-7", "albumin"),
    ("54347-0", "albumin"),
    ("19123-9", "magnesium"),
    ("2601-3", "magnesium"),
    ("21377-7", "magnesium"),
    ("2777-1", "phosphate"),
    ("14879-1", "phosphate"),
    ("2731-8", "pth"),
    ("3016-3", "tsh"),
    ("14920-3", "ft4"),
    ("3024-7", "ft4"),
    ("3051-0", "ft3"),
    ("2345-7", "glucose"),
    ("2160-0", "creatinine"),
    ("33914-3", "egfr"),
    ("98979-8", "egfr"),
    ("29463-7", "weight"),
    ("3397-7", "cocaine-screen"),
    ("2597-3", None),  # magnesium in red cells
    ("26746-8", None),
    ("24447-5", None),  # magnesium in urine
    ("2600-5", None),  # ionised magnesium
    ("11554-3", None),  # deprecated
    ("19072-8", None),  # ionised calcium adjusted to pH 7.4
    ("57333-7", None),
    ("53138-4", None),
    ("53139-2", None),
    ("53140-0", None),
    ("59472-1", None),
    ("59473-9", None),
    ("13959-2", None),  # calculated, not measured
    ("99504-3", None),  # glucose in interstitial fluid
    ("48643-1", None),  # eGFR split by race
    ("29950-3", None),  # nuclear IgG, met in public as a laboratory analyte
    ("17861-7", None),
    ("17861", None),
    ("", None),
]


@pytest.mark.parametrize(("code", "analyte"), LABS)
def test_analytes(codes: Terminology, code, analyte) -> None:
    assert codes.analyte(LOINC, code) == analyte
    assert codes.analyte("urn:oid:2.16.840.1.113883.6.1", code) == analyte
    assert codes.analyte(RXNORM, code) is None


@pytest.mark.parametrize(
    ("code", "route"),
    [
        ("78421000", "parenteral"),
        ("47625008", "parenteral"),
        ("34206005", "parenteral"),
        ("26643006", "oral"),
        ("260548002", "oral"),
        ("37161004", "rectal"),
        ("15802004", None),
        ("", None),
    ],
)
def test_coded_routes(codes: Terminology, code, route) -> None:
    assert codes.route(SNOMED, code) == route
    assert codes.route(LOINC, code) is None


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("Intramuscular", "parenteral"),
        ("IM", "parenteral"),
        ("I.M.", "parenteral"),
        ("IV push", "parenteral"),
        ("intravenous", "parenteral"),
        ("subcutaneous", "parenteral"),
        ("oral", "oral"),
        ("PO", "oral"),
        ("p.o.", "oral"),
        ("by mouth", "oral"),
        ("Oral route", "oral"),
        ("per rectum", "rectal"),
        ("PR", "rectal"),
        ("Rectal", "rectal"),
        ("intranasal", "nasal"),
        ("Sublingual", "sublingual"),
        ("transdermal", "transdermal"),
        ("Topical", "topical"),
        ("ophthalmic", "ophthalmic"),
        ("vaginal", "other"),
        ("NG tube", "other"),
        ("PO/IM", None),
        ("as directed", None),
        ("", None),
    ],
)
def test_routes_in_words(codes: Terminology, text, route) -> None:
    assert codes.route_text(text) == route


def test_observations_are_the_union_of_what_the_template_needs(codes: Terminology) -> None:
    analytes = {codes.analyte(coding.system, coding.code) for coding in codes.members("observations")}
    assert analytes == {
        None,  # a genetic variant, which is no analyte
        "albumin",
        "calcium",
        "calcium-corrected",
        "calcium-ionised",
        "ceruloplasmin",
        "cocaine-screen",
        "egfr",
        "ft3",
        "ft4",
        "magnesium",
        "phosphate",
        "potassium",
        "pth",
        "tsh",
        "weight",
    }
    tokens = ",".join(f"{coding.system}|{coding.code}" for coding in codes.members("observations"))
    assert len(tokens) < 1_500


def test_members(codes: Terminology) -> None:
    assert codes.members("tardive")[0] == Coding(CM, "G24.01")
    assert Coding(LOINC, "29463-7", "Body weight") in codes.members("lab-weight")
    local = {coding.code for coding in codes.members("dopamine-antagonists") if coding.system.endswith("/ingredients")}
    assert local == {"cariprazine"}
    for wrong in ("calcium", "no-such-set", ""):
        with pytest.raises(KeyError):
            codes.members(wrong)


@pytest.mark.parametrize("name", ["Haloperidol", " haloperidol  decanoate ", "5093", "benzatropine", "CARIPRAZINE"])
def test_ingredient_by_any_generic_name(codes: Terminology, name) -> None:
    assert codes.ingredient(name) is not None


@pytest.mark.parametrize("name", ["haldol", "", "lisinopril", "1667655", "local:nothing"])
def test_brands_and_strangers_are_no_ingredient(codes: Terminology, name) -> None:
    assert codes.ingredient(name) is None


def test_load_gives_one_object() -> None:
    assert load() is load()


def test_look_ups_from_many_threads_agree(codes: Terminology) -> None:
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(codes.product(RXNORM, "197527"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [found[0]] * len(threads)
