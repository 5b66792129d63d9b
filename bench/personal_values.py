"""Made-up personal information of eight countries, from Faker.

Run by the Python of its own environment (`bench/peers.py`).

    .cache/peers/faker/bin/python bench/personal_values.py SEED COUNT

Out: JSON on standard output, `COUNT` texts by locale and kind (more telephone numbers, since most are dropped
afterwards). The same seed gives the same texts. Only Faker is imported.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from typing import Any

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL")
# Months as dates are written in running text; Polish ones in the genitive.
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
}
CARDS = ("visa16", "mastercard", "amex", "discover", "diners", "jcb16")


def values(faker: Any, locale: str, count: int) -> dict[str, list[str]]:
    """Texts by kind: telephone numbers that no plan has are dropped later."""
    makers: dict[str, tuple[Callable[[], str], int]] = {
        "email": (
            lambda: faker.random_element((faker.email(), faker.company_email(), faker.ascii_free_email())),
            count,
        ),
        "phone": (faker.phone_number, count * 8),
        "payment_card": (lambda: _card(faker), count),
        "date_of_birth": (lambda: _date(faker, locale), count),
        "national_id": (lambda: _national(faker, locale), count),
        "ip": (faker.ipv4_public, count),
        "private_ip": (faker.ipv4_private, count),
    }
    if locale != "en_US":
        makers["iban"] = (lambda: _grouped(faker, faker.iban()), count)
    if locale in ("en_US", "en_GB", "de_DE", "fr_FR", "nl_NL"):
        makers["street_address"] = (lambda: _address(faker, locale), count)
    return {kind: [make() for _ in range(wanted)] for kind, (make, wanted) in makers.items()}


def _grouped(faker: Any, iban: str) -> str:
    return iban if faker.boolean() else " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))


def _card(faker: Any) -> str:
    number: str = faker.credit_card_number(card_type=faker.random_element(CARDS))
    # JCB has 3528 to 3589 of Faker's 35.
    while number.startswith("35") and not 3528 <= int(number[:4]) <= 3589:
        number = faker.credit_card_number(card_type="jcb16")
    form = faker.random_int(0, 2)
    if form == 0:
        return number
    sizes = (4, 6, len(number) - 10) if len(number) in (14, 15) else (4, 4, 4, 4)
    groups, start = [], 0
    for size in sizes:
        groups.append(number[start : start + size])
        start += size
    return (" " if form == 1 else "-").join(groups)


def _date(faker: Any, locale: str) -> str:
    date = faker.date_of_birth(minimum_age=16, maximum_age=95)
    month = MONTHS[locale[:2]].split()[date.month - 1]
    day, number, year = str(date.day), f"{date.month:02}", str(date.year)
    words = {
        "en_US": (
            f"{month} {day}, {year}",
            f"{month} {day} {year}",
            f"{date.month}/{day}/{year}",
            f"{number}/{date.day:02}/{year[2:]}",
        ),
        "en_GB": (
            f"{day} {month} {year}",
            f"{day} {month[:3]} {year}",
            f"{date.day:02}/{number}/{year}",
            f"{date.day:02}.{number}.{year[2:]}",
        ),
        "de_DE": (f"{day}. {month} {year}", f"{date.day:02}.{number}.{year}", f"{day}.{date.month}.{year}"),
        "fr_FR": (f"{'1er' if date.day == 1 else day} {month} {year}", f"{date.day:02}/{number}/{year}"),
        "es_ES": (f"{day} de {month} de {year}", f"{date.day:02}/{number}/{year}", f"{date.day:02}-{number}-{year}"),
        "it_IT": (f"{'1º' if date.day == 1 else day} {month} {year}", f"{date.day:02}/{number}/{year}"),
        "nl_NL": (f"{day} {month} {year}", f"{date.day:02}-{number}-{year}"),
        "pl_PL": (f"{day} {month} {year}", f"{date.day:02}.{number}.{year}"),
    }[locale]
    return str(faker.random_element((*words, words[0], date.isoformat())))


def _national(faker: Any, locale: str) -> str:
    """Numbers with the right check digits; Faker has none for the United Kingdom (its NINOs begin with ZZ, given to
    nobody) and the caller makes the German tax number."""
    if locale == "en_GB":
        # Without the letters of the prefixes that are not given out (HMRC, NIM39110).
        first, second = faker.random_element("ACEHJLMPRSWXY"), faker.random_element("ACEHJLMPRSWXYZ")
        form = faker.random_element(("{}{} ## ## ## {}", "{}{}######{}"))
        return str(faker.numerify(form.format(first, second, faker.random_element("ABCD"))))
    if locale == "de_DE":
        return str(faker.rvnr())
    if locale == "fr_FR":
        number = faker.ssn()
        parts = (1, 2, 2, 2, 3, 3, 2)
        grouped, start = [], 0
        for size in parts:
            grouped.append(number[start : start + size])
            start += size
        return number if faker.boolean() else " ".join(grouped)
    if locale == "es_ES":
        return str(faker.random_element((faker.nif(), faker.nie())))
    if locale == "pl_PL":
        return str(faker.pesel())
    return str(faker.ssn())


def _address(faker: Any, locale: str) -> str:
    whole = faker.boolean()
    if locale == "en_US":
        street = f"{faker.random_int(1, 9999)} {faker.street_name()}" + (
            f" {faker.secondary_address()}" if faker.boolean(30) else ""
        )
        return (
            f"{street}, {faker.city()}, {faker.state_abbr(include_territories=False)} {faker.postcode()}"
            if whole
            else street
        )
    if locale == "en_GB":
        street = f"{faker.random_int(1, 250)} {faker.street_name().title()}"
        street = f"Flat {faker.random_int(1, 30)}, {street}" if faker.boolean(20) else street
        return f"{street}, {faker.city()} {faker.postcode()}" if whole else street
    if locale == "fr_FR":
        # Some of Faker's have no house number.
        while not (street := faker.street_address().replace("\n", " ").strip())[0].isdigit():
            pass
    else:
        # Faker's own house numbers have up to four digits and leading zeros.
        street = f"{faker.street_name()} {faker.random_int(1, 180)}{faker.random_element(('', '', '', 'a', 'b'))}"
    return f"{street}, {faker.postcode()} {faker.city()}" if whole else street


def main() -> None:
    from faker import Faker

    seed, count = int(sys.argv[1]), int(sys.argv[2])
    result = {}
    for locale in LOCALES:
        faker = Faker(locale)
        faker.seed_instance(seed)
        # Some national numbers are drawn from the module instead.
        random.seed(seed)
        result[locale] = values(faker, locale, count)
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
