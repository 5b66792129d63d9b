"""Fifth batch of planted sites of firms, offices and papers, which look heavy in personal information and are not.

As `bench/site_heavy.py`: from a `Setting` to what makes the site's pages. Persons stand here at work or in public, with
the contact that their work has; numbers are those of firms, offices and unknown callers.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.site_fifth_heavy import cards, money, records
from bench.site_filler import Setting, zipf
from bench.site_heavy import PageMaker
from bench.site_people import ascii_slug


def _premises(setting: Setting) -> str:
    """Where a firm or an office is."""
    people = setting.people
    return f"{people.street()}, {people.place(people.town())}"


def local_paper(setting: Setting) -> PageMaker:
    """Articles with bylines; people are quoted by name, age and town; readers' letters; the desk's contact."""
    rng, people, label = setting.rng, setting.people, setting.label
    writers, desk = setting.staff(40), people.phone()
    below, short = rng.random() < 0.4, rng.random() < 0.4
    box = {"de": "redaktion", "fr": "redaction", "es": "redaccion", "it": "redazione", "nl": "redactie"}.get(
        setting.language, "news"
    )

    def page(index: int, wanted: int) -> list[str]:
        name, email = zipf(rng, writers)
        day = people.written_date(people.day(2008, 2024))
        byline = f"{label('by')} {name}" + (f", {email}" if rng.random() < 0.3 else "")
        if rng.random() < 0.1:
            letters = [f"{text}\n{people.name()}, {people.town().name}" for text in setting.prose(max(30, wanted - 15))]
            return [label("letters"), *letters, f"{label('editor')}: {box}@{setting.domain}, {desk}"]
        text = setting.prose(wanted - 18)
        if rng.random() < 0.6:
            said = f"“{setting.title(most=12)}”, {people.name()}"
            text.insert(len(text) // 2, said + rng.choice((".", f" ({rng.randint(18, 90)}), {people.town().name}.")))
        close = f"{label('editor')}: {desk}" if short else f"{name}, {label('editor')}, {email}, {desk}"
        return [setting.title(most=9), *([day, *text, byline, close] if below else [f"{byline} | {day}", *text, close])]

    return page


def web_store(setting: Setting) -> PageMaker:
    """Goods with numbers, sizes, prices and customers' reviews by first name and town."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, hotline, brands = cards(setting), people.phone(), [people.firm()[0] for _ in range(12)]
    signed = rng.choice(("{0}", "{0} {1}.", "{0}, {2}", "{0} {1}., {2}"))

    def page(index: int, wanted: int) -> list[str]:
        price = money(setting, 4, 1900)
        facts = [
            (label("firm"), rng.choice(brands)),
            (label("price"), price),
            (label("part"), f"{rng.getrandbits(30)}"),
        ]
        facts += [("EAN", f"{rng.randint(10**12, 10**13 - 1)}"), (label("fifth stock"), str(rng.randint(0, 250)))]
        said = []
        for _ in range(min(rng.randint(0, 6), wanted // 40)):
            who = signed.format(rng.choice(people.pools.given), rng.choice("ABCDEFGHKLMPRSTW"), people.town().name)
            said.append(
                f"{who}, {people.numeric_date(people.day(2014, 2023))} ({rng.randint(2, 5)}/5)\n{setting.title()}"
            )
        return [
            setting.title(most=6),
            lay(facts),
            *setting.prose(wanted - 25 - 10 * len(said)),
            *([label("reviews"), *said] if said else []),
            f"{label('support')}: {hotline}, {label('hours')} 9-17",
        ]

    return page


def solicitors(setting: Setting) -> PageMaker:
    """Lawyers with direct lines, own-domain addresses and fields; advice signed by one of them; one page of the whole team."""
    rng, people, label = setting.rng, setting.people, setting.label
    base, lay, where = people.phone(), cards(setting), _premises(setting)
    team = [
        (name, email, people.extension(base), ", ".join(rng.sample(setting.words["law"], 2)), rng.randint(1982, 2016))
        for name, email in setting.staff(30)
    ]

    def card(member: tuple[str, str, str, str, int]) -> str:
        name, email, phone, fields, _ = member
        pairs = [(label("name"), name), (label("fields of law"), fields)]
        return lay([*pairs, (label("phone"), phone), (label("email"), email)])

    def page(index: int, wanted: int) -> list[str]:
        if index == 0:
            return [
                label("about"),
                where,
                *map(card, team[: max(1, wanted // 12)]),
                *setting.prose(wanted - 12 * len(team)),
            ]
        member = team[index - 1] if index <= len(team) else zipf(rng, team)
        text = setting.prose(wanted - 22)
        if index <= len(team):
            return [member[0], card(member), f"{label('admitted')} {member[4]}, {people.town().name}", *text]
        return [f"{setting.some('law')}: {setting.title()}", *text, card(member)]

    return page


def university_department(setting: Setting) -> PageMaker:
    """Staff of a department: table of all, pages of each with courses and papers, news between."""
    rng, people, label = setting.rng, setting.people, setting.label
    titles = rng.choice((("Prof.", "Dr."), ("Prof. Dr.", "Dr.", "M.Sc."), ("", "PhD"), ("",)))
    base, staff = (
        people.phone(),
        [(f"{rng.choice(titles)} {name}".strip(), email) for name, email in setting.staff(160)],
    )
    heading, put = records(setting, ["name", "room", "phone", "email"])

    def entry(name: str, email: str) -> str:
        return put([name, f"{rng.randint(0, 6)}.{rng.randint(1, 60):02}", people.extension(base), email])

    def page(index: int, wanted: int) -> list[str]:
        draw = rng.random()
        if draw < 0.25:
            return [setting.title(), *setting.prose(wanted - 6)]
        if draw < 0.4:
            shown = rng.sample(staff, min(len(staff), max(1, wanted // 9)))
            return [
                label("contact"),
                *heading,
                *(entry(*person) for person in shown),
                *setting.prose(wanted - 9 * len(shown)),
            ]
        name, email = staff[index % len(staff)]
        papers = [
            f"{people.name()}, {name.split()[-1]}: {setting.title(most=12)}. {people.town().name} {rng.randint(1990, 2023)}"
            for _ in range(min(12, wanted // 50))
        ]
        courses = [f"{label('courses')}: {setting.title(most=5)}" for _ in range(rng.randint(0, 3))]
        return [name, entry(name, email), *courses, *setting.prose(wanted - 25 - 14 * len(papers)), *papers]

    return page


def city_services(setting: Setting) -> PageMaker:
    """A town hall's departments, with the officials in charge, their lines and hours."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, base, hall = cards(setting), people.phone(), _premises(setting)
    kinds = rng.sample(["room", "fax", "hours", "office", "contact"], rng.randint(2, 5))

    def service() -> str:
        bureau, official = setting.some("bureaus"), people.name()
        role = rng.random() < 0.5
        mail = f"{ascii_slug(bureau)[:14]}@{setting.domain}" if role else people.work_email(official, setting.domain)
        known = {
            "room": str(rng.randint(1, 350)),
            "fax": people.extension(base),
            "hours": f"{rng.randint(7, 9)}:00 - {rng.randint(12, 18)}:30",
            "office": hall if rng.random() < 0.6 else _premises(setting),
            "contact": official,
        }
        pairs = [(label("department"), bureau), *((label(key), known[key]) for key in kinds)]
        text = lay([*pairs, (label("phone"), people.extension(base)), (label("email"), mail)])
        return "\n".join((text, *setting.prose(rng.randint(0, 70))))

    return lambda index, wanted: [
        f"{setting.some('bureaus')} {setting.title(most=4)}",
        *setting.fill(wanted - 5, service),
    ]


def trade_directory(setting: Setting) -> PageMaker:
    """Firms of a trade or a town: addresses, numbers, role addresses; some bear the names of their owners."""
    rng, people = setting.rng, setting.people
    keys = [
        "firm",
        "office",
        "phone",
        *rng.sample(["email", "director", "fax", "registered", "hours"], rng.randint(1, 4)),
    ]
    heading, put = records(setting, keys)
    told, owners = rng.randint(0, 30), rng.random() < 0.4

    def entry() -> str:
        name, domain = people.firm()
        if owners and rng.random() < 0.3:
            name = f"{people.name()} {setting.title(most=3)}"
        known: dict[str, str] = {
            "firm": name,
            "office": _premises(setting),
            "phone": people.phone(),
            "fax": people.phone(),
            "email": f"{rng.choice(('info', 'office', 'mail', 'kontakt', 'contact'))}@{domain}",
            "director": people.name(),
            "registered": str(rng.randint(10_000, 9_999_999)),
            "hours": f"{rng.randint(7, 10)}-{rng.randint(16, 20)}",
        }
        return "\n".join((put([known[key] for key in keys]), *setting.prose(rng.randint(0, told))))

    return lambda index, wanted: [
        f"{people.town().name}: {setting.title(most=3)}",
        *heading,
        *setting.fill(wanted - 9, entry),
    ]


def public_tenders(setting: Setting) -> PageMaker:
    """Notices of public contracts: authority, official in charge, deadline, winner and sum."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, awarded = cards(setting), rng.random() < 0.5

    def notice() -> str:
        town = people.town()
        official, domain = people.name(), f"{ascii_slug(town.name)}.{setting.domain.rsplit('.', 1)[-1]}"
        mail = (
            people.work_email(official, domain)
            if rng.random() < 0.7
            else f"{rng.choice(('tender', 'info', 'office'))}@{domain}"
        )
        pairs = [
            (label("reference"), f"{rng.randint(2010, 2023)}/S {rng.randint(1, 250):03}-{rng.randint(10**5, 10**6)}")
        ]
        pairs += [
            (label("authority"), f"{town.name}, {setting.some('bureaus')}"),
            (label("office"), _premises(setting)),
        ]
        pairs += [(label("contact"), official), (label("phone"), people.phone()), (label("email"), mail)]
        pairs.append((label("deadline"), f"{people.numeric_date(people.day(2010, 2023))} {rng.randint(9, 14)}:00"))
        if awarded:
            pairs += [(label("firm"), people.firm()[0]), (label("contract value"), money(setting, 20_000, 4_000_000))]
        return "\n".join((setting.title(most=10), lay(pairs), *setting.prose(rng.randint(10, 120))))

    return lambda index, wanted: [setting.title(most=6), *setting.fill(wanted - 4, notice)]


def parish(setting: Setting) -> PageMaker:
    """A parish: times of services, those who serve there and how to reach the office, news and sermons."""
    rng, people, label = setting.rng, setting.people, setting.label
    priest, secretary, phone = people.name(), people.name(), people.phone()
    churches = [f"{rng.choice(people.pools.streets)}, {people.town().name}" for _ in range(rng.randint(1, 5))]

    def page(index: int, wanted: int) -> list[str]:
        lines = [
            f"{people.numeric_date(people.day(2019, 2023))} {rng.randint(7, 19)}:{rng.choice(('00', '30'))} {rng.choice(churches)}"
            for _ in range(max(1, wanted // 12 if index % 3 == 0 else 2))
        ]
        office = f"{label('parish office')}: {secretary}, {label('phone')} {phone}, office@{setting.domain}"
        close = [f"{label('pastor')}: {priest}", office] if rng.random() < 0.8 else []
        return [
            setting.title(),
            *([] if index % 3 == 0 else setting.prose(wanted - 30)),
            label("masses"),
            *lines,
            *close,
        ]

    return page


def conference_programme(setting: Setting) -> PageMaker:
    """Talks with speakers and where they work, chairs, abstracts, the organisers' contact."""
    rng, people, label = setting.rng, setting.people, setting.label
    long, mails, organiser = rng.random() < 0.5, rng.random() < 0.3, people.name()

    def talk() -> str:
        speakers = [people.name() for _ in range(rng.randint(1, 4))]
        place = people.town().name
        mail = (
            f" ({people.work_email(speakers[0], f'uni-{ascii_slug(place)}.{setting.domain.rsplit(chr(46), 1)[-1]}')})"
        )
        head = f"{rng.randint(9, 17)}:{rng.choice(('00', '20', '40'))} {', '.join(speakers)}{mail if mails else ''}, {place}"
        text = f"{head}\n{label('abstracts')}: {setting.title(most=12)}"
        return "\n".join((text, *setting.prose(rng.randint(30, 120)))) if long else text

    return lambda index, wanted: [
        f"{label('session')} {index + 1}: {setting.title(most=6)}",
        f"{label('chair')}: {people.name()}",
        *setting.fill(wanted - 20, talk),
        f"{label('organiser')}: {people.work_email(organiser, setting.domain)}",
    ]


def concert_calendar(setting: Setting) -> PageMaker:
    """Concerts: day, hall, players, programme, prices, the box office."""
    rng, people, label = setting.rng, setting.people, setting.label
    halls = [(rng.choice(people.pools.streets), _premises(setting), people.phone()) for _ in range(rng.randint(2, 40))]
    put, told = cards(setting), rng.randint(0, 60)

    def concert() -> str:
        hall, where, phone = zipf(rng, halls)
        players = ", ".join(people.name() for _ in range(rng.randint(1, 5)))
        day = f"{people.written_date(people.day(2012, 2024))}, {rng.randint(17, 21)}:{rng.choice(('00', '30'))}"
        pairs = [(label("date"), day), (label("venue"), f"{hall}, {where}"), (label("with"), players)]
        pairs += [(label("admission"), money(setting, 5, 90)), (label("box office"), phone)]
        return "\n".join((put(pairs), *setting.prose(rng.randint(0, told))))

    return lambda index, wanted: [
        f"{people.months[index % 12]} {setting.title(most=5)}",
        *setting.fill(wanted - 5, concert),
    ]


def unknown_callers(setting: Setting) -> PageMaker:
    """Numbers that called, and what those who were called say of them: nobody's name is known."""
    rng, people, label = setting.rng, setting.people, setting.label
    shape, nicks = rng.randrange(3), [f"{ascii_slug(name)[:8]}{rng.randint(1, 99)}" for name in people.pools.streets]

    def comment() -> str:
        day = people.numeric_date(people.day(2012, 2023))
        return f"{rng.choice(nicks)}, {day}\n{setting.some('calls')} {setting.title() if rng.random() < 0.3 else ''}".strip()

    def number() -> str:
        return f"{people.phone()} | {label('callers')}: {rng.randint(1, 400)} | {setting.some('calls')}"

    def page(index: int, wanted: int) -> list[str]:
        asked = people.phone()
        make: Callable[[], str] = number if shape == 0 or index % 5 == 0 else comment
        near = [people.extension(asked) for _ in range(min(6, wanted // 20))] if shape == 1 else []
        return [f"{label('who called')} {asked}?", *setting.fill(wanted - 10 - 2 * len(near), make), *near]

    return page
