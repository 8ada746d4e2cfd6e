"""The criteria of searches, as Zoho documents them."""

import pytest

from zoho_mongo_store.testing.zoho.criteria import parse

ADA = {"Last_Name": "Lovelace", "Email": "ada@example.com", "Marks": 7, "Passed": True}


@pytest.mark.parametrize(
    ("criteria", "holds"),
    [
        ("(Last_Name:equals:lovelace)", True),
        ("(Last_Name:equals:Byron)", False),
        ("(Last_Name:not_equal:Byron)", True),
        ("(Phone:equals:1)", False),
        ("(Phone:not_equal:1)", True),
        ("(Email:starts_with:Ada@)", True),
        ("(Last_Name:in:Byron,Lovelace)", True),
        ("(Marks:equals:7)", True),
        ("(Marks:greater_than:7)", False),
        ("(Marks:greater_equal:7)", True),
        ("(Marks:less_than:7.5)", True),
        ("(Marks:less_equal:6)", False),
        ("(Marks:between:5,8)", True),
        ("(Marks:equals:seven)", False),
        ("(Passed:equals:true)", True),
        ("(Passed:equals:false)", False),
        ("((Last_Name:equals:Lovelace)and(Marks:equals:7))", True),
        ("((Last_Name:equals:Lovelace) and (Marks:equals:8))", False),
        ("(Last_Name:equals:Byron)or(Marks:equals:7)", True),
        ("((Marks:equals:8)or((Marks:equals:7)and(Passed:equals:true)))", True),
        ("((Marks:equals:7)or(Marks:equals:8)and(Passed:equals:false))", False),
    ],
)
def test_hold_or_not(criteria: str, holds: bool) -> None:
    assert parse(criteria)(ADA) is holds


def test_take_escaped_parentheses() -> None:
    criteria = parse(r"(Last_Name:equals:Lovelace \(Byron\))")

    assert criteria({"Last_Name": "Lovelace (Byron)"})
    assert not criteria(ADA)


def test_take_words_that_hold_an_operator() -> None:
    assert parse("(Last_Name:equals:Ford and Sons)")({"Last_Name": "Ford and Sons"})


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "()",
        "Last_Name:equals:Byron",
        "(Last_Name:equals:Byron",
        "(Last_Name:equals:Byron))",
        "(Last_Name:equals:Byron)and",
        "(Last_Name:equals:Byron)(Marks:equals:7)",
        "(Last_Name:resembles:Byron)",
        "(Last_Name=Byron)",
        "(Marks:between:5)",
        "(Marks:between:5,6,7)",
    ],
)
def test_that_cannot_be_read_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"criteria|condition|two values"):
        parse(wrong)
