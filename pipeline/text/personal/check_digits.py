"""Check digits and built-in dates of the numbers that states give to people.

In: the characters of one number without separators, ASCII, of the right length and classes (the patterns see to that). Out: whether the
number can have been given to somebody. Each function names who defines its rule.
"""

from __future__ import annotations

from calendar import monthrange

_WEIGHTED = {byte: value for value, byte in enumerate(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}


def luhn(digits: bytes) -> bool:
    """ISO/IEC 7812-1 annex B: every second digit from the right doubled, digits summed, a multiple of ten."""
    total = 0
    for index, byte in enumerate(reversed(digits)):
        digit = byte - 48
        if index % 2:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return total % 10 == 0


def mod_97(characters: bytes) -> bool:
    """ISO 7064 MOD 97-10, letters as 10 to 35: the remainder is 1."""
    return int("".join(str(_WEIGHTED[byte]) for byte in characters)) % 97 == 1


def mod_11_10(digits: bytes) -> bool:
    """ISO 7064 MOD 11,10, the hybrid system: the last digit closes the number."""
    product = 10
    for byte in digits[:-1]:
        product = ((product + byte - 48) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == digits[-1] - 48


def is_day(year: int, month: int, day: int) -> bool:
    """A day of the Gregorian calendar."""
    return 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


def _day_of_some_century(year: int, month: int, day: int) -> bool:
    """Two digits of the year: 2000 and 1900 differ in February 29."""
    return is_day(2000 + year, month, day)


def _weighted(digits: bytes, weights: tuple[int, ...]) -> int:
    return sum((byte - 48) * weight for byte, weight in zip(digits, weights, strict=False))


def united_states(digits: bytes) -> bool:
    """SSN, 9 digits: area not 000, 666 or 900-999, group not 00, serial not 0000 (US Social Security Administration, POMS RM 10201.035)."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in (b"000", b"666") and area < b"900" and group != b"00" and serial != b"0000"


def germany_tax(digits: bytes) -> bool:
    """Steuer-ID, 11 digits: MOD 11,10; of the first ten digits one occurs twice or three times, the others at most once, and three equal
    ones do not stand together (Bundeszentralamt für Steuern; section 139b Abgabenordnung)."""
    counts = sorted((digits[:10].count(digit) for digit in range(48, 58)), reverse=True)
    together = any(digits[index] == digits[index + 1] == digits[index + 2] for index in range(8))
    return digits[0] != 48 and counts[0] in (2, 3) and counts[1] == 1 and not together and mod_11_10(digits)


def germany_card(characters: bytes) -> bool:
    """Serial number of the identity card with its check digit, 10 characters: weights 7, 3, 1 (ICAO 9303 part 3, section 4.9)."""
    return sum(_WEIGHTED[byte] * (7, 3, 1)[index % 3] for index, byte in enumerate(characters[:9])) % 10 == characters[9] - 48


def germany_pension(characters: bytes) -> bool:
    """Rentenversicherungsnummer, 12 characters: area, day of birth (two digits of the year), initial, serial, check digit.

    The initial becomes the two digits of its place in the alphabet; products with 2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1, their digits summed,
    modulo 10 (VKVV, section 2 and annex).
    """
    day, month, year = (int(characters[start : start + 2]) for start in (2, 4, 6))
    digits = characters[:8] + b"%02d" % (characters[8] - 64) + characters[9:11]
    products = ((byte - 48) * weight for byte, weight in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True))
    return _day_of_some_century(year, month, day) and sum(sum(divmod(product, 10)) for product in products) % 10 == characters[11] - 48


def france(characters: bytes) -> bool:
    """NIR, 15 characters: sex, year, month, department, ..., key 97 - n mod 97; Corsica's 2A and 2B count as 19 and 18 (INSEE; decree
    82-103). Months above 12 stand for incomplete papers."""
    number = characters[:13].replace(b"2A", b"19").replace(b"2B", b"18")
    month = int(characters[3:5])
    return number.isdigit() and (1 <= month <= 12 or 20 <= month <= 42 or month >= 50) and 97 - int(number) % 97 == int(characters[13:])


def spain(characters: bytes) -> bool:
    """DNI (8 digits and a letter) and NIE (X, Y or Z for a first digit 0, 1, 2): the letter is the number mod 23 (Real Decreto 1553/2005;
    Orden INT/2058/2008)."""
    number = characters[:-1].replace(b"X", b"0").replace(b"Y", b"1").replace(b"Z", b"2")
    return b"TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == characters[-1]


_ITALY_ODD = dict(
    zip(
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)
_ITALY_ODD |= {48 + digit: _ITALY_ODD[65 + digit] for digit in range(10)}
_ITALY_EVEN = {byte: byte - 65 for byte in range(65, 91)} | {48 + digit: digit for digit in range(10)}
# Omocodia: where two people would share a code, digits become these letters.
_ITALY_DIGITS = bytes.maketrans(b"LMNPQRSTUV", b"0123456789")


def italy(characters: bytes) -> bool:
    """Codice fiscale, 16 characters: day of birth 1-31, plus 40 for women; check letter over odd and even places (decree of the Ministry of
    Finance of 23 December 1976)."""
    year, day = (int(part.translate(_ITALY_DIGITS)) for part in (characters[6:8], characters[9:11]))
    known = _day_of_some_century(year, b"ABCDEHLMPRST".index(characters[8:9]) + 1, day % 40)
    total = sum((_ITALY_EVEN if index % 2 else _ITALY_ODD)[byte] for index, byte in enumerate(characters[:15]))
    return known and total % 26 + 65 == characters[15]


def netherlands(digits: bytes) -> bool:
    """BSN, 9 digits: weights 9 to 2 and -1, a multiple of 11 (Rijksdienst voor Identiteitsgegevens, the eleven test)."""
    return digits != b"000000000" and _weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def belgium(digits: bytes) -> bool:
    """Rijksregister, 11 digits: date of birth, counter, 97 - n mod 97; births from 2000 on put a 2 in front (royal decree of 3 April 1984).
    Months may be raised by 20 or 40 (bis numbers); month and day 00 are unknown."""
    month, day = int(digits[2:4]) % 20, int(digits[4:6])
    known = month == 0 or day == 0 or _day_of_some_century(int(digits[:2]), month, day)
    key = int(digits[9:])
    return known and month <= 12 and day <= 31 and key in (97 - int(digits[:9]) % 97, 97 - int(b"2" + digits[:9]) % 97)


def poland(digits: bytes) -> bool:
    """PESEL, 11 digits: date of birth with the century in the month, weights 1, 3, 7, 9 (Act on population registration of 24 September
    2010, article 15)."""
    century, month = divmod(int(digits[2:4]), 20)
    year = (1900, 2000, 2100, 2200, 1800)[century] + int(digits[:2])
    return is_day(year, month, int(digits[4:6])) and _weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def sweden(digits: bytes) -> bool:
    """Personnummer, the last 10 digits: date of birth (day plus 60 for coordination numbers), Luhn (Skatteverket, SKV 704)."""
    return _day_of_some_century(int(digits[:2]), int(digits[2:4]), int(digits[4:6]) % 60) and luhn(digits)


def finland(characters: bytes) -> bool:
    """HETU, 11 characters: date of birth, sign of the century, counter from 002 (900 and above are temporary), the rest mod 31 as a letter
    (decree 128/2010)."""
    day, month, year = int(characters[:2]), int(characters[2:4]), int(characters[4:6])
    number = int(characters[:6] + characters[7:10])
    given = b"002" <= characters[7:10] < b"900"
    return given and _day_of_some_century(year, month, day) and b"0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31] == characters[10]


def denmark(digits: bytes) -> bool:
    """CPR, 10 digits: date of birth. The check digit was given up in 2007 (CPR-kontoret), so nothing else can be tested."""
    return _day_of_some_century(int(digits[4:6]), int(digits[2:4]), int(digits[:2]))


def portugal(digits: bytes) -> bool:
    """NIF of a person, 9 digits beginning with 1, 2, 3 or 45: weights 9 to 2, 11 - n mod 11, 10 and 11 as 0 (decree-law 14/2013)."""
    check = 11 - _weighted(digits[:8], (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return (digits[0] in b"123" or digits[:2] == b"45") and check % 11 % 10 == digits[8] - 48


def austria(digits: bytes) -> bool:
    """Sozialversicherungsnummer, 10 digits: counter from 100, check digit, date of birth; weights 3, 7, 9, -, 5, 8, 4, 2, 1, 6 mod 11
    (Dachverband der Sozialversicherungsträger). Months 13 to 15 are used where a day is exhausted."""
    month = int(digits[6:8])
    day = _day_of_some_century(int(digits[8:]), min(month, 12), int(digits[4:6]))
    return digits[0] != 48 and day and month <= 15 and _weighted(digits, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11 == digits[3] - 48


def ireland(characters: bytes) -> bool:
    """PPS, 7 digits and one or two letters: weights 8 to 2, the second letter times 9, mod 23 as a letter, W for 0 (Social Welfare
    Consolidation Act 2005, section 262; Department of Social Protection)."""
    second = characters[8] - 64 if len(characters) == 9 and characters[8] != 87 else 0
    total = _weighted(characters[:7], (8, 7, 6, 5, 4, 3, 2)) + 9 * second
    return b"WABCDEFGHIJKLMNOPQRSTUV"[total % 23] == characters[7]


def united_kingdom(characters: bytes) -> bool:
    """NINO, 9 characters: prefixes that are not given out (HMRC, National Insurance Manual NIM39110). It has no check digit."""
    return characters[:2] not in (b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ")


def czechia(digits: bytes) -> bool:
    """Rodné číslo of Czechia and Slovakia since 1954, 10 digits: date of birth (month plus 50 for women, plus 20 where exhausted), a
    multiple of 11, or the first nine leave 10 and the last is 0 (Act 133/2000 Sb., section 13)."""
    month = int(digits[2:4])
    month -= 50 if month > 50 else 0
    month -= 20 if month > 20 else 0
    first = int(digits[:9]) % 11
    return _day_of_some_century(int(digits[:2]), month, int(digits[4:6])) and first % 10 == digits[9] - 48


def baltic(digits: bytes) -> bool:
    """Isikukood of Estonia and asmens kodas of Lithuania, 11 digits: century, date of birth, weights 1 to 9, 1 mod 11, on 10 again with 3
    to 9, 1, 2, 3 (Estonian standard EVS 585; Lithuanian Population Register act)."""
    check = _weighted(digits, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = _weighted(digits, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    day = _day_of_some_century(int(digits[1:3]), int(digits[3:5]), int(digits[5:7]))
    return digits[0] in b"12345678" and day and check == digits[10] - 48


def romania(digits: bytes) -> bool:
    """CNP, 13 digits: sex and century, date of birth, county, weights 279146358279 mod 11, 10 as 1 (ordinance 97/2005)."""
    check = _weighted(digits, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    day = _day_of_some_century(int(digits[1:3]), int(digits[3:5]), int(digits[5:7]))
    return digits[0] != 48 and day and (1 if check == 10 else check) == digits[12] - 48


def bulgaria(digits: bytes) -> bool:
    """EGN, 10 digits: date of birth (month plus 20 before 1900, plus 40 from 2000), weights 2, 4, 8, 5, 10, 9, 7, 3, 6 mod 11 mod 10 (GRAO,
    ordinance RD-02-20-9)."""
    day = _day_of_some_century(int(digits[:2]), int(digits[2:4]) % 20, int(digits[4:6]))
    return day and int(digits[2:4]) <= 52 and _weighted(digits, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == digits[9] - 48


def greece(digits: bytes) -> bool:
    """AMKA, 11 digits: date of birth, Luhn (Greek law 3655/2008, article 153)."""
    return _day_of_some_century(int(digits[4:6]), int(digits[2:4]), int(digits[:2])) and luhn(digits)
