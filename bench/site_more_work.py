"""Second batch of templates of planted sites that look heavy in personal information and are not.

As `bench/site_heavy.py`: from a `Setting` to what makes the site's pages. Here stand people in office, in a profession that
is entered in a public list, on stage or in print, anonymised parties of cases, and long numbers that are not persons'.
"""

from __future__ import annotations

from bench.site_filler import Setting, layout, zipf
from bench.site_heavy import PageMaker
from bench.site_people import ascii_slug, digits
from bench.site_work import office_address

TITLES = {"de": "RA", "fr": "Me", "es": "D.", "it": "Avv.", "nl": "mr.", "pl": "adw.", "en": "Attorney"}
# Numbers of cases as courts write them.
CASES = {
    "en": ("[{year}] EWCA Civ {number}", "No. {short}-{number}"),
    "de": ("{roman} ZR {number}/{short}", "{roman} O {number}/{short}"),
    "fr": ("n° {short}-{number}", "RG {short}/{number}"),
    "es": ("STS {number}/{year}", "rollo {number}/{year}"),
    "it": ("Cass. n. {number}/{year}", "R.G. {number}/{year}"),
    "nl": ("ECLI:NL:HR:{year}:{number}", "{short}/{number} {roman}"),
    "pl": ("{roman} CSK {number}/{short}", "{roman} C {number}/{short}"),
}


def parliament(setting: Setting) -> PageMaker:
    """Members of a parliament: party, office telephone, own-domain e-mail, date of birth in the biography."""
    rng, people, label = setting.rng, setting.people, setting.label
    count = max(4, min(600, setting.pages))
    names, base, lay = [people.name() for _ in range(count)], people.phone(), layout(rng)
    lists, born, reached = rng.random() < 0.35, rng.random() < 0.8, rng.random() < 0.8
    forms = [form for form in setting.words["biography"] if "{died}" not in form]

    def life(name: str) -> str:
        birth = people.day(1942, 1995)
        written = people.written_date(birth) if born else str(birth.year)
        places = {"town": people.town().name, "place": people.town().name}
        return rng.choice(forms).format(name=name, born=written, job=setting.some("jobs"), **places)

    def member(name: str) -> str:
        pairs = [(label("name"), name), (label("party"), setting.some("parties"))]
        pairs.append((label("constituency"), f"{rng.randint(1, 299)} {people.town().name}"))
        if reached:
            pairs.append((label("phone"), people.extension(base)))
            pairs.append((label("email"), people.work_email(name, setting.domain)))
        return lay(pairs)

    def page(index: int, wanted: int) -> list[str]:
        if lists:
            heading = f"{label('constituency')} {people.town().name}"
            return [heading, *setting.fill(wanted - 2, lambda: member(rng.choice(names)))]
        name = names[index % count]
        committees = "; ".join(setting.title(most=4) for _ in range(rng.randint(1, 3)))
        blocks = [name, member(name), life(name), f"{label('committee')}: {committees}"]
        return [*blocks, *setting.prose(wanted - sum(len(block.split()) for block in blocks))]

    return page


def bar_association(setting: Setting) -> PageMaker:
    """Lawyers or notaries of a chamber: office address, telephone, fax; on some sites e-mail, a few at free providers."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, title = layout(rng), TITLES[setting.language] if rng.random() < 0.6 else ""
    shown = rng.sample(["fax", "email", "admitted", "mobile"], rng.randint(1, 3))
    free = rng.choice((0.0, 0.0, 0.15, 0.3))

    def entry() -> str:
        name = people.name()
        email = people.private_email(name) if rng.random() < free else people.work_email(name, people.firm()[1])
        values = {
            "fax": people.phone(),
            "mobile": people.phone(),
            "email": email,
            "admitted": people.numeric_date(people.day(1978, 2022)),
        }
        pairs = [(label("name"), f"{title} {name}".strip()), (label("office"), office_address(setting))]
        pairs.append((label("phone"), people.phone()))
        return lay(pairs + [(label(key), values[key]) for key in shown if rng.random() < 0.85])

    return lambda index, wanted: [f"{people.town().name} ({index + 1})", *setting.fill(wanted - 2, entry)]


def sports_club(setting: Setting) -> PageMaker:
    """A club's officials with telephone and e-mail, fixtures and reports of matches."""
    rng, people, label = setting.rng, setting.people, setting.label
    private = rng.random() < 0.3
    officials = [
        (name, people.private_email(name) if private else email, people.phone()) for name, email in setting.staff(14)
    ]
    roles = setting.words["functions"]
    players = [people.name() for _ in range(rng.randint(15, 60))]
    often, lay = rng.randint(4, 12), layout(rng)

    def card(number: int) -> str:
        name, email, phone = officials[number]
        return lay([(roles[number % len(roles)].capitalize(), name), (label("phone"), phone), (label("email"), email)])

    def fixture() -> str:
        day = f"{people.numeric_date(people.day(2012, 2024))} {rng.randint(10, 20)}:{rng.choice(('00', '15', '30'))}"
        return f"{day} {people.town().name} - {people.town().name} {rng.randint(0, 6)}:{rng.randint(0, 6)}"

    def report() -> str:
        line_up = ", ".join(rng.sample(players, 11))
        return "\n".join((setting.title(), *setting.prose(rng.randint(30, 120)), f"{label('with')}: {line_up}"))

    def page(index: int, wanted: int) -> list[str]:
        if index % often == 0:
            cards = [card(number) for number in range(len(officials))]
            return [label("board"), *cards, *setting.prose(wanted - 12 * len(cards))]
        if rng.random() < 0.5:
            return [f"{label('fixtures')} {2005 + index % 19}", *setting.fill(wanted - 2, fixture)]
        return [label("news"), *setting.fill(wanted - 1, report), card(index % len(officials))]

    return page


def theatre(setting: Setting) -> PageMaker:
    """The programme of a season: plays, artists, stages, the telephone number of the box office."""
    rng, people, label = setting.rng, setting.people, setting.label
    company = [people.name() for _ in range(rng.randint(12, 80))]
    stages = [setting.title(most=3) for _ in range(rng.randint(1, 4))]
    desk = f"{label('box office')}: {people.phone()}, {rng.choice(('tickets', 'info', 'kasse'))}@{setting.domain}"
    lay, each = layout(rng), rng.random() < 0.5

    def play() -> str:
        dates = ", ".join(people.numeric_date(people.day(2015, 2025)) for _ in range(rng.randint(1, 6)))
        pairs = [(label("date"), f"{dates}, {rng.randint(18, 20)}:00"), (label("venue"), rng.choice(stages))]
        pairs.append((label("directed"), zipf(rng, company)))
        pairs.append((label("with"), ", ".join(zipf(rng, company) for _ in range(rng.randint(2, 9)))))
        text = f"{people.name()} ({rng.randint(1700, 1990)})"
        ends = [desk] if each else []
        return "\n".join((setting.title(), text, lay(pairs), *setting.prose(rng.randint(15, 80)), *ends))

    def page(index: int, wanted: int) -> list[str]:
        month = f"{people.months[index % 12]} {2015 + index // 12 % 10}"
        return [month, *setting.fill(wanted - 10, play), *([] if each else [desk])]

    return page


def museum_guide(setting: Setting) -> PageMaker:
    """Museums with address, telephone, opening hours and admission; artists with the years of their lives."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, told = layout(rng), rng.randint(20, 120)

    def artist() -> str:
        birth = rng.randint(1420, 1930)
        return f"{people.name()} ({birth}–{birth + rng.randint(30, 88)})"

    def museum() -> str:
        domain = people.firm()[1]
        pairs = [(label("office"), office_address(setting)), (label("phone"), people.phone())]
        pairs.append((label("hours"), f"10:00-{rng.randint(16, 20)}:00"))
        pairs.append((label("admission"), f"{rng.randint(3, 18)},00"))
        if rng.random() < 0.5:
            pairs.append(("Web", f"www.{domain}"))
        if rng.random() < 0.4:
            pairs.append((label("email"), f"{rng.choice(('museum', 'info', 'visit'))}@{domain}"))
        shown = "; ".join(artist() for _ in range(rng.randint(1, 6)))
        return "\n".join((f"Museum {rng.choice(people.pools.streets)}", lay(pairs), *setting.prose(told), shown))

    return lambda index, wanted: [people.town().name, *setting.fill(wanted - 1, museum)]


def theses(setting: Setting) -> PageMaker:
    """A catalogue of doctoral theses: author, title, year, supervisor, numbers of the library."""
    rng, people, label = setting.rng, setting.people, setting.label
    supervisors = [people.name() for _ in range(max(4, min(200, setting.pages // 2)))]
    lay, form, abstracts = layout(rng), rng.randrange(3), rng.random() < 0.4
    town = people.town().name

    def entry() -> str:
        year, author, pages = rng.randint(1965, 2023), people.listed_name(), rng.randint(80, 420)
        handle = f"{rng.randint(10_000, 99_999)}/{rng.randint(100, 99_999)}"
        supervisor, title = zipf(rng, supervisors), setting.title(most=14)
        if form == 0:
            born = f" ({rng.randint(1940, year - 25 if year > 1966 else 1940)}-)" if rng.random() < 0.5 else ""
            text = f"{author}{born}: {title}. {town}, {label('thesis')}, {year}. {pages} S. hdl:{handle}"
        else:
            pairs = [(label("by"), author), (label("thesis"), title), (label("date"), str(year))]
            pairs.append((label("supervisor"), f"Prof. {supervisor}"))
            defended = people.numeric_date(people.day(year, year))
            text = lay([*pairs, ("Handle", handle)] if form == 1 else [*pairs, (label("posted"), defended)])
        told = rng.randint(40, 160) if abstracts else 0
        return "\n".join((text, *([label("abstract"), *setting.prose(told)] if told else ())))

    return lambda index, wanted: [f"{label('thesis')} {index + 1}", *setting.fill(wanted - 2, entry)]


def obituaries(setting: Setting) -> PageMaker:
    """A newspaper's obituaries of public figures: dates of birth and death in running text, a reporter's byline."""
    rng, people, label = setting.rng, setting.people, setting.label
    reporters, signed = setting.staff(25), rng.randrange(3)
    short = rng.random() < 0.3

    def life(name: str) -> list[str]:
        died = people.day(2003, 2023)
        birth = people.day(died.year - 96, died.year - 45)
        facts = {
            "name": name,
            "born": people.written_date(birth),
            "died": people.written_date(died),
            "age": died.year - birth.year - ((died.month, died.day) < (birth.month, birth.day)),
            "town": people.town().name,
            "place": people.town().name,
            "job": setting.some("figures"),
        }
        return [form.format(**facts) for form in setting.words["obituary"]]

    def notice() -> str:
        text = rng.choice(life(people.name()))
        return " ".join((text, *setting.prose(rng.randint(20, 80))))

    def page(index: int, wanted: int) -> list[str]:
        reporter, email = zipf(rng, reporters)
        byline = f"{label('by')} {reporter}" + (f" <{email}>" if signed == 1 else "")
        if short:
            return [setting.title(), byline, *setting.fill(wanted - 10, notice)]
        name = people.name()
        told = setting.prose(max(5, wanted - 30))
        said = life(name)[: rng.randint(2, 3)]
        middle = len(told) // 2
        return [name, byline, said[0], *told[:middle], *said[1:], *told[middle:]]

    return page


def court_decisions(setting: Setting) -> PageMaker:
    """Decisions of courts with anonymised parties: initials, dates, numbers of cases, judges' names."""
    rng, people, label = setting.rng, setting.people, setting.label
    judges = [people.name() for _ in range(rng.randint(3, 40))]
    lay, marks = layout(rng), rng.randrange(3)

    def party() -> str:
        first, second = rng.choice("ABCDEFGHJKLMNPRSTWZ"), rng.choice("ABCDEFGHJKLMNPRSTWZ")
        return (f"{first}. {second}.", f"{first}.{second}.", f"[{first}…]")[marks]

    def number() -> str:
        roman, year = rng.choice(("I", "II", "IV", "XII")), rng.randint(1996, 2023)
        form = rng.choice(CASES[setting.language])
        return form.format(roman=roman, number=rng.randint(1, 9999), year=year, short=f"{year % 100:02}")

    def point() -> str:
        date = people.written_date(people.day(1995, 2023))
        form = rng.choice(setting.words["ruling"])
        text = form.format(a=party(), b=party(), date=date, number=number(), year=rng.randint(1940, 2000))
        return " ".join((text, *setting.prose(rng.randint(25, 110))))

    def page(index: int, wanted: int) -> list[str]:
        pairs = [(label("case"), number()), (label("date"), people.numeric_date(people.day(1999, 2023)))]
        pairs += [(label("judge"), ", ".join(rng.sample(judges, rng.randint(1, 3))))]
        pairs += [(label("plaintiff"), party()), (label("defendant"), party())]
        points = setting.fill(wanted - 20, point)
        return [number(), lay(pairs), *(f"{place}. {text}" for place, text in enumerate(points, 1))]

    return page


def holiday_homes(setting: Setting) -> PageMaker:
    """Places to stay: hosts' first names, address of the house, telephone, booking address at a domain of its own."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, told, couples = layout(rng), rng.randint(20, 110), rng.random() < 0.5
    kinds = {
        "de": "Ferienwohnung",
        "fr": "Gîte",
        "es": "Casa rural",
        "it": "B&B",
        "nl": "Vakantiehuis",
        "pl": "Noclegi",
    }

    def house() -> str:
        name = f"{kinds.get(setting.language, 'Cottage')} {rng.choice(people.pools.streets)}"
        first = rng.choice(people.pools.given)
        hosts = f"{first} & {rng.choice(people.pools.given)}" if couples else first
        role = rng.choice(("booking", "info", "stay", ascii_slug(first)))
        pairs = [(label("host"), hosts), (label("office"), office_address(setting)), (label("phone"), people.phone())]
        pairs.append((label("booking"), f"{role}@{people.firm()[1]}"))
        pairs.append((label("price"), f"{rng.randint(35, 220)}"))
        guests = [
            f"{rng.choice(people.pools.given)}, {people.months[rng.randrange(12)]} {rng.randint(2014, 2023)}: {setting.title()}"
            for _ in range(rng.randint(0, 3))
        ]
        return "\n".join((name, lay(pairs), *setting.prose(told), *guests))

    return lambda index, wanted: [people.town().name, *setting.fill(wanted - 1, house)]


def product_support(setting: Setting) -> PageMaker:
    """A maker's support forum: nicknames, serial and order numbers, answers signed by staff with the firm's contact."""
    rng, people, label = setting.rng, setting.people, setting.label
    staff, line = setting.staff(12), people.phone()
    serials, signature = rng.choice(("SN########", "##-####-######", "C02@@######", "############")), rng.randrange(3)

    def serial() -> str:
        return "".join(rng.choice("ACDFHJKM") if sign == "@" else digits(rng, sign) for sign in serials)

    def question() -> str:
        nick = f"{ascii_slug(rng.choice(people.pools.streets))[:8]}{rng.randint(1, 999)}"
        facts = rng.sample(
            [
                f"{label('serial')} {serial()}",
                f"{label('order')} {rng.randint(10**8, 10**10)}",
                f"{label('date')} {people.numeric_date(people.day(2014, 2023))}",
                f"Firmware {rng.randint(1, 9)}.{rng.randint(0, 20)}.{rng.randint(0, 255)}.{rng.randint(0, 99)}",
            ],
            rng.randint(1, 4),
        )
        return "\n".join((f"{nick} {label('said')}:", *setting.prose(rng.randint(15, 80)), ". ".join(facts)))

    def answer() -> str:
        name, email = zipf(rng, staff)
        close = (f"{name}, {label('support')}", f"{name} | {email} | {line}", f"{label('support')}\n{email}")[signature]
        return "\n".join((*setting.prose(rng.randint(15, 70)), close))

    def thread() -> str:
        return "\n".join((question(), answer()))

    return lambda index, wanted: [setting.title(), *setting.fill(wanted - 6, thread)]


def patents(setting: Setting) -> PageMaker:
    """A register of patents: numbers, dates, inventors' names and towns, the applicant firm with its address."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, towns, told = layout(rng), rng.random() < 0.5, rng.choice((0, 40, 120))
    country = rng.choice(("EP", setting.locale[3:], "WO"))

    def inventor() -> str:
        return f"{people.listed_name()} ({people.town().name})" if towns else people.listed_name()

    def entry() -> str:
        filed = people.day(1975, 2022)
        code = f"{rng.choice('ABCFGH')}{rng.randint(1, 65):02}{rng.choice('BCDFKLN')} {rng.randint(1, 99)}/{rng.randint(0, 90):02}"
        pairs = [("Patent", f"{country} {rng.randint(1_000_000, 9_999_999)} {rng.choice(('A1', 'B1'))}")]
        pairs += [(label("filed"), people.numeric_date(filed)), ("IPC", code)]
        pairs.append((label("applicant"), f"{people.firm()[0]}, {office_address(setting)}"))
        pairs.append((label("inventor"), "; ".join(inventor() for _ in range(rng.randint(1, 5)))))
        return "\n".join((setting.title(most=12), lay(pairs), *setting.prose(rng.randint(0, told))))

    return lambda index, wanted: [f"IPC {rng.choice('ABCFGH')} {index + 1}", *setting.fill(wanted - 3, entry)]


def parts_catalogue(setting: Setting) -> PageMaker:
    """Standards and spare parts: long numbers, dates of issue, network and hexadecimal addresses."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, told = layout(rng), rng.choice((0, 15, 60))
    form = rng.choice(("### ### ## ##", "##########", "####-###-####", "#.###.###.###", "### #### ####"))
    addresses = rng.random() < 0.5

    def entry() -> str:
        standard = f"{rng.choice(('ISO', 'EN', 'DIN', 'IEC', 'ASTM'))} {rng.randint(100, 61_999)}-{rng.randint(1, 20)}"
        pairs = [(label("part"), digits(rng, form)), ("EAN", digits(rng, "40###########"))]
        pairs.append((label("standard"), f"{standard}:{people.day(1975, 2023).isoformat()[:7]}"))
        if addresses:
            octets = ":".join(f"{rng.getrandbits(8):02X}" for _ in range(6))
            pairs.append(("IP", f"{rng.choice((10, 172, 192, 85, 203))}.{digits(rng, '#')}.{rng.randint(0, 255)}.1"))
            pairs += [("MAC", octets), ("Offset", f"0x{rng.getrandbits(32):08X}")]
        return "\n".join((setting.title(most=5), lay(pairs), *setting.prose(rng.randint(0, told))))

    return lambda index, wanted: [f"{label('part')} {digits(rng, form)}", *setting.fill(wanted - 5, entry)]
