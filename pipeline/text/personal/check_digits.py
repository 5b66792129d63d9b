"""Numbers that states give to people, where `stdnum` knows none or its answer alone is not enough.

In: the characters of one number without separators, ASCII, of the right length and classes (the patterns see to that).
Out: whether the number can have been given to somebody. Each function names who defines what `stdnum` does not check.

Check digits are `stdnum`'s. Its dates are used only where they take February 29 of a year 00 for either century and do
not depend on the day on which the program runs (law 2), as they do for Belgium, Denmark and Sweden.
"""

from __future__ import annotations

import re
from calendar import monthrange

from stdnum import luhn
from stdnum.at import vnr
from stdnum.bg import egn
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.ee import ik
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.ie import vat
from stdnum.pt import nif
from stdnum.ro import cnp


def is_day(year: int, month: int, day: int) -> bool:
    """A day of the Gregorian calendar."""
    return 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


def _day_of_some_century(year: str, month: int, day: int) -> bool:
    """Two digits of the year: 2000 and 1900 differ in February 29."""
    return is_day(2000 + int(year), month, day)


def united_states(number: str) -> bool:
    """SSN, 9 digits: area not 000, 666 or 900-999, group not 00, serial not 0000 (US Social Security Administration,
    POMS RM 10201.035). `stdnum` refuses three more, which advertisements made known."""
    area, group, serial = number[:3], number[3:5], number[5:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def germany_tax(number: str) -> bool:
    """Steuer-ID, 11 digits: three equal ones among the first ten are not adjacent (Bundeszentralamt für Steuern;
    section 139b Abgabenordnung)."""
    return idnr.is_valid(number) and re.search(r"(.)\1\1", number[:10]) is None


def germany_card(number: str) -> bool:
    """Serial number of the identity card with its check digit, 10 characters: weights 7, 3, 1 (ICAO 9303 part 3,
    section 4.9)."""
    total = sum(int(character, 36) * (7, 3, 1)[index % 3] for index, character in enumerate(number[:9]))
    return total % 10 == int(number[9])


def germany_pension(number: str) -> bool:
    """Rentenversicherungsnummer, 12 characters: area, day of birth (two digits of the year), initial, serial, check
    digit.

    The initial becomes the two digits of its place in the alphabet; products with 2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1,
    their digits summed, modulo 10 (VKVV, section 2 and annex).
    """
    digits = f"{number[:8]}{int(number[8], 36) - 9:02d}{number[9:11]}"
    products = (int(digit) * weight for digit, weight in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True))
    total = sum(sum(divmod(product, 10)) for product in products)
    return _day_of_some_century(number[6:8], int(number[4:6]), int(number[2:4])) and total % 10 == int(number[11])


def france(number: str) -> bool:
    """NIR, 15 characters: months 20 to 42 and from 50 on mean incomplete papers (INSEE; decree 82-103)."""
    month = int(number[3:5])
    return (1 <= month <= 12 or 20 <= month <= 42 or month >= 50) and nir.is_valid(number)


def spain(number: str) -> bool:
    """DNI, 8 digits and a letter, or NIE, which begins with X, Y or Z."""
    return dni.is_valid(number) or nie.is_valid(number)


def belgium(number: str) -> bool:
    """Rijksregister, 11 digits: date of birth, counter, 97 - n mod 97; births from 2000 on put a 2 in front (royal
    decree of 3 April 1984). Months may be raised by 20 or 40 (bis numbers); month and day 00 are unknown."""
    month, day = int(number[2:4]) % 20, int(number[4:6])
    known = month == 0 or day == 0 or _day_of_some_century(number[:2], month, day)
    key = int(number[9:])
    return known and month <= 12 and day <= 31 and key in (97 - int(number[:9]) % 97, 97 - int("2" + number[:9]) % 97)


def sweden(number: str) -> bool:
    """Personnummer, the last 10 digits: date of birth (day plus 60 for coordination numbers), Luhn (Skatteverket, SKV
    704)."""
    return _day_of_some_century(number[:2], int(number[2:4]), int(number[4:6]) % 60) and luhn.is_valid(number)


def finland(number: str) -> bool:
    """HETU, 11 characters. The sign of the century is read as that of 2000, whose year 00 has a February 29."""
    return hetu.is_valid(f"{number[:6]}A{number[7:]}")


def denmark(number: str) -> bool:
    """CPR, 10 digits: date of birth.

    The check digit was given up in 2007 (CPR-kontoret): nothing else can be tested.
    """
    return _day_of_some_century(number[4:6], int(number[2:4]), int(number[:2]))


def portugal(number: str) -> bool:
    """NIF, 9 digits: those of people begin with 1, 2, 3 or 45 (decree-law 14/2013)."""
    return number.startswith(("1", "2", "3", "45")) and nif.is_valid(number)


def austria(number: str) -> bool:
    """Sozialversicherungsnummer, 10 digits: it ends with the date of birth, in months 13 to 15 where a day is exhausted
    (Dachverband der Sozialversicherungsträger)."""
    month = int(number[6:8])
    day = month <= 15 and _day_of_some_century(number[8:], min(month, 12), int(number[4:6]))
    return day and vnr.is_valid(number)


def ireland(number: str) -> bool:
    """PPS, 7 digits and one or two letters. Any second letter counts, `stdnum.ie.pps` knows those given out so far
    (Social Welfare Consolidation Act 2005, section 262; Department of Social Protection)."""
    return vat.calc_check_digit(number[:7] + number[8:]) == number[7]


def united_kingdom(number: str) -> bool:
    """NINO, 9 characters: prefixes that are not given out (HMRC, National Insurance Manual
    NIM39110); no check digit.
    """
    return number[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def czechia(number: str) -> bool:
    """Rodné číslo of Czechia and Slovakia since 1954, 10 digits: months are raised by 50 for women, and by 20 where a
    day is exhausted, but not by 40 (Act 133/2000 Sb., section 13)."""
    return int(number[2:4]) % 50 <= 32 and rc.is_valid(number)


def baltic(number: str) -> bool:
    """Isikukood of Estonia and asmens kodas of Lithuania, 11 digits: the date of birth follows the first (Estonian
    standard EVS 585; Lithuanian Population Register act)."""
    day = _day_of_some_century(number[1:3], int(number[3:5]), int(number[5:7]))
    return day and ik.calc_check_digit(number) == number[10]


def romania(number: str) -> bool:
    """CNP, 13 digits: the date of birth follows the first; any county counts (ordinance 97/2005)."""
    day = _day_of_some_century(number[1:3], int(number[3:5]), int(number[5:7]))
    return day and cnp.calc_check_digit(number[:12]) == number[12]


def bulgaria(number: str) -> bool:
    """EGN, 10 digits: it begins with the date of birth, month plus 20 before 1900, plus 40 from 2000 (GRAO, ordinance
    RD-02-20-9)."""
    month = int(number[2:4])
    day = month <= 52 and _day_of_some_century(number[:2], month % 20, int(number[4:6]))
    return day and egn.calc_check_digit(number[:9]) == number[9]
