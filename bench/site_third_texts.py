"""Third batch of templates of planted sites of texts, posts and manuals, which look heavy and are not.

As `bench/site_heavy.py`: from a `Setting` to what makes the site's pages. Here stand cooks, known people of the past and kings,
posters of public archives, samples of documentation, and numbers of machines.
"""

from __future__ import annotations

import json

from bench.site_filler import Setting, zipf
from bench.site_heavy import PageMaker
from bench.site_people import ascii_slug
from bench.site_third_work import catalogue


def _nick(setting: Setting) -> str:
    rng, pools = setting.rng, setting.people.pools
    word = ascii_slug(rng.choice(rng.choice((pools.streets, pools.given))))[:9] or "user"
    return f"{word}{rng.choice(('', '_', str(rng.randint(1, 99))))}"


def cookery(setting: Setting) -> PageMaker:
    """Recipes of a magazine: the cook's name, quantities in a table, steps, readers' first names."""
    rng, people, label = setting.rng, setting.people, setting.label
    cooks, units = [people.name() for _ in range(rng.randint(3, 40))], ("g", "ml", "kg", "cl", "×")
    separator = rng.choice(("\t", " … ", ": "))

    def recipe() -> str:
        items = [
            f"{setting.title(most=3)}{separator}{rng.randint(1, 750)} {rng.choice(units)}"
            for _ in range(rng.randint(4, 9))
        ]
        steps = [f"{number}. {text}" for number, text in enumerate(setting.prose(rng.randint(40, 120)), 1)]
        said = f"{rng.choice(people.pools.given)}, {people.months[rng.randrange(12)]} {rng.randint(2010, 2023)}: {setting.title()}"
        return "\n".join(
            (
                setting.title(most=4),
                f"{label('by')} {zipf(rng, cooks)}, {rng.randint(10, 90)} min",
                *items,
                *steps,
                said,
            )
        )

    return lambda index, wanted: [label("ingredients"), *setting.fill(wanted, recipe)]


def release_notes(setting: Setting) -> PageMaker:
    """What is new by version, with numbers of requests and the handles of those who sent them."""
    rng, people = setting.rng, setting.people
    handles = [f"@{_nick(setting)}" for _ in range(max(4, min(200, setting.pages)))]
    names = [people.name() for _ in handles]
    form = rng.randrange(3)

    def change() -> str:
        at = int(len(handles) * rng.random() ** 3)
        what, number = setting.title(most=12), rng.randint(10, 99_999)
        return (
            f"- {what} ([#{number}]) {handles[at]}",
            f"* {what}. (#{number}, {names[at]})",
            f"{rng.getrandbits(28):07x} {what}, {handles[at]}",
        )[form]

    def version() -> str:
        head = f"## [{rng.randint(0, 12)}.{rng.randint(0, 30)}.{rng.randint(0, 20)}] - {people.day(2010, 2023).isoformat()}"
        return "\n".join((head, *(change() for _ in range(rng.randint(2, 8)))))

    return lambda index, wanted: [f"CHANGELOG {index + 1}", *setting.fill(wanted - 2, version)]


def switch_manual(setting: Setting) -> PageMaker:
    """Switches and routers: interfaces with hardware and network addresses, lines that they log."""
    rng = setting.rng

    def address() -> str:
        network = rng.choice(("10.0.{}", "172.16.{}", "192.168.{}", "198.51.100", "203.0.113"))
        return f"{network.format(rng.randint(0, 255))}.{rng.randint(1, 254)}"

    def step() -> str:
        hardware = ".".join(f"{rng.getrandbits(16):04x}" for _ in range(3))
        line = rng.choice(
            (
                f"GigabitEthernet0/{rng.randint(1, 48)} {address()} YES manual up up",
                f"Internet {address()} {rng.randint(0, 240)} {hardware} ARPA Vlan{rng.randint(1, 4000)}",
                f"%LINK-3-UPDOWN: Interface Fa0/{rng.randint(1, 48)}, changed state to up",
                f"snmp-server contact noc@example.{rng.choice(('com', 'net'))}",
                f"username admin secret 5 $1${rng.getrandbits(60):x}",
            )
        )
        return "\n".join((*setting.prose(rng.randint(10, 60)), f"switch{rng.randint(1, 9)}# {line}"))

    return lambda index, wanted: [setting.title(most=5), *setting.fill(wanted - 4, step)]


def ordinances(setting: Setting) -> PageMaker:
    """A table of ordinances: number, title, day, gazette, what amended them."""
    rng, people = setting.rng, setting.people

    def entry() -> dict[str, str]:
        return {
            "number of act": f"{rng.randint(100, 9999)}-{rng.randint(1, 40)}-{rng.randint(1, 9)}",
            "section": setting.title(most=12),
            "date": people.numeric_date(people.day(1920, 2023)),
            "amended": f"{people.written_date(people.day(1980, 2023))} ({rng.choice(('I', 'II', 'L'))} {rng.randint(1, 3900)})",
        }

    return catalogue(
        setting,
        entry,
        ("amended",),
        title=lambda index: f"{setting.label('section')} {index + 1}",
        told=rng.choice((0, 30, 90)),
    )


def patch_archive(setting: Setting) -> PageMaker:
    """A developers' list: patches with sign-offs of people who recur, quoted lines, version control numbers."""
    rng, people = setting.rng, setting.people
    senders = []
    for _ in range(max(4, min(300, setting.pages // 3))):
        name = people.name()
        senders.append(
            f"{name} <{people.work_email(name, people.firm()[1]) if rng.random() < 0.6 else people.private_email(name)}>"
        )

    def patch() -> str:
        name = zipf(rng, senders)
        lines = [
            f"{rng.choice('+-')} {ascii_slug(setting.title(most=3))[:12]} = {rng.randint(0, 4096)};"
            for _ in range(rng.randint(2, 8))
        ]
        head = f"[PATCH v{rng.randint(1, 6)} {rng.randint(1, 9)}/9] {setting.title()}"
        trailers = [
            f"Signed-off-by: {name}",
            *(
                f"{rng.choice(('Reviewed-by', 'Tested-by', 'Acked-by'))}: {zipf(rng, senders)}"
                for _ in range(rng.randint(0, 2))
            ),
        ]
        return "\n".join((head, f"From: {name}", *setting.prose(rng.randint(20, 90)), *trailers, "---", *lines))

    return lambda index, wanted: [setting.title(), *setting.fill(wanted - 6, patch)]


def known_lives(setting: Setting) -> PageMaker:
    """Boxes and first sentences of articles on known people: dates and places of birth and death, spouse, works."""
    rng, people, label = setting.rng, setting.people, setting.label
    boxes, numeric = rng.random() < 0.6, rng.random() < 0.4

    def life() -> str:
        name, birth = people.name(), people.day(1600, 1960)
        died, form = (
            people.day(birth.year + 25, birth.year + 88),
            people.numeric_date if numeric else people.written_date,
        )
        town = people.town().name
        if not boxes:
            said = rng.choice(setting.words["biography"])
            return said.format(
                name=name,
                born=form(birth),
                died=form(died),
                town=town,
                place=people.town().name,
                job=setting.some("figures"),
            )
        lines = [
            name,
            f"{label('born')}: {form(birth)}, {town}",
            f"{label('died')}: {form(died)}, {people.town().name}",
            setting.some("figures"),
        ]
        return "\n".join(
            (
                *lines,
                f"{label('works')}: {setting.title(most=4)} ({birth.year + 24}), {setting.title(most=4)} ({birth.year + 25})",
            )
        )

    def article() -> str:
        return "\n".join((life(), *setting.prose(rng.randint(20, 120))))

    return lambda index, wanted: [people.name(), *setting.fill(wanted - 2, article)]


def hall_of_fame(setting: Setting) -> PageMaker:
    """Public figures told of in sentences when they died, with a list of prizes by year."""
    rng, people = setting.rng, setting.people

    def life() -> str:
        died = people.day(1960, 2022)
        age = rng.randint(50, 97)
        born = people.day(died.year - age, died.year - age).replace(month=1)
        facts = {
            "name": people.name(),
            "born": people.written_date(born),
            "died": people.written_date(died),
            "age": died.year - born.year - (died.month == 1 and died.day < born.day),
        }
        places = {"town": people.town().name, "place": people.town().name, "job": setting.some("figures")}
        said = " ".join(form.format(**facts, **places) for form in rng.sample(setting.words["obituary"], 2))
        prizes = [
            f"{year} {setting.title(most=5)}"
            for year in sorted(rng.sample(range(born.year + 20, died.year), rng.randint(1, 4)))
        ]
        return "\n".join((said, *setting.prose(rng.randint(20, 110)), *prizes))

    return lambda index, wanted: [f"{setting.some('figures')} {index + 1}", *setting.fill(wanted - 3, life)]


def hobby_forum(setting: Setting) -> PageMaker:
    """Threads on a hobby: nicknames, since when they are members, signatures with machines and sayings."""
    rng, people, label = setting.rng, setting.people, setting.label
    users = [
        (_nick(setting), f"{rng.randint(1, 9999)} · {people.town().name} · {rng.randint(2001, 2023)}", setting.title())
        for _ in range(max(6, min(500, setting.pages)))
    ]

    def post() -> str:
        nick, facts, sign = zipf(rng, users)
        quoted = f"[quote={zipf(rng, users)[0]}]{setting.title(most=14)}[/quote]" if rng.random() < 0.4 else ""
        return "\n".join(
            filter(
                None,
                (f"{nick} ({label('joined')}: {facts})", quoted, *setting.prose(rng.randint(15, 120)), f"-- {sign}"),
            )
        )

    return lambda index, wanted: [f"Re: {setting.title()}", *setting.fill(wanted - 6, post)]


def interface_manual(setting: Setting) -> PageMaker:
    """A programming interface: requests and answers with samples of persons who do not exist."""
    rng, label = setting.rng, setting.label
    samples = (
        "John Smith",
        "Jane Doe",
        "Erika Mustermann",
        "Mario Rossi",
        "Jan Kowalski",
        "Foo Bar",
        "Test User",
        "Juan Pérez",
    )

    def sample() -> str:
        name = rng.choice(samples)
        body = {
            "id": rng.randint(1, 99),
            "name": name,
            "email": f"{ascii_slug(name.split()[0])}@example.com",
            "phone": "+1-555-0100",
            "street": "123 Main St",
            "city": "Anytown",
        }
        shown = {key: body[key] for key in rng.sample(sorted(body), rng.randint(2, 6))}
        call = f"{rng.choice(('GET', 'POST', 'PUT', 'DELETE'))} /v{rng.randint(1, 3)}/{rng.choice(('users', 'customers', 'contacts', 'orders'))}/{rng.randint(1, 99)}"
        return "\n".join(
            (
                *setting.prose(rng.randint(15, 60)),
                call,
                json.dumps(shown, indent=rng.choice((None, 2)), ensure_ascii=False),
            )
        )

    return lambda index, wanted: [
        f"{label('chapter')} {index + 1}.{rng.randint(1, 9)} API",
        *setting.fill(wanted - 3, sample),
    ]


def royal_houses(setting: Setting) -> PageMaker:
    """Descent of ruling houses from the Middle Ages to 1900: titles, years of reign, marriages, children."""
    rng, people, label = setting.rng, setting.people, setting.label
    tree = rng.random() < 0.5

    def ruler() -> str:
        birth = rng.randint(1080, 1830)
        roman = rng.choice(("I", "II", "III", "IV", "V", "VI"))
        name = f"{rng.choice(people.pools.given)} {roman}, {setting.some('ranks')}, {people.town().name}"
        wife = f"{rng.choice(people.pools.given)}, {setting.some('ranks')}, {people.town().name}"
        children = [
            f"{rng.choice(people.pools.given)} ({birth + at * 2 + 20}-{birth + rng.randint(45, 100)})"
            for at in range(rng.randint(1, 6))
        ]
        day = people.written_date(people.day(birth, birth))
        head = f"{name} ({label('born')} {day}, {label('died')} {birth + rng.randint(40, 80)}), {label('reigned')} {birth + 18}-{birth + 39}"
        issue = "\n  └ ".join(("", *children)) if tree else f" {', '.join(children)}"
        return f"{head}\n{label('married')}: {wife}\n{label('issue')}:{issue}"

    def house() -> str:
        return "\n".join((ruler(), *setting.prose(rng.choice((0, 20, 60)))))

    return lambda index, wanted: [f"{people.town().name} {1080 + index % 700}", *setting.fill(wanted - 2, house)]


def user_talk(setting: Setting) -> PageMaker:
    """Talk pages of a wiki: remarks of users under nicknames with the hour, templates, links to differences."""
    rng, people, label = setting.rng, setting.people, setting.label
    users = [_nick(setting) for _ in range(max(6, min(300, setting.pages)))]

    def remark() -> str:
        user, day = zipf(rng, users).title(), people.written_date(people.day(2005, 2023))
        signed = f"{user} ({label('talk')}) {rng.randint(0, 23):02}:{rng.randint(0, 59):02}, {day} (UTC)"
        indent = ":" * rng.randint(0, 3)
        return "\n".join((*(f"{indent}{text}" for text in setting.prose(rng.randint(15, 90))), f"{indent}— {signed}"))

    return lambda index, wanted: [f"{label('talk')}: {zipf(rng, users).title()}", *setting.fill(wanted - 3, remark)]


def server_logs(setting: Setting) -> PageMaker:
    """Lines that programs log, shown with questions about them: hours, numbers of processes, addresses inside a network."""
    rng, people, told = setting.rng, setting.people, setting.rng.choice((0, 20, 50))

    def line() -> str:
        day = people.day(2012, 2023)
        clock, host = (
            f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}",
            f"10.{rng.randint(0, 9)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}",
        )
        return rng.choice(
            (
                f"{day.isoformat()} {clock},{rng.randint(0, 999):03} ERROR [worker-{rng.randint(1, 32)}] {setting.title()}: code {rng.randint(100, 99_999)}",
                f'{host} - - [{day.day:02}/Mar/{day.year}:{clock} +0000] "GET /item/{rng.randint(1, 99_999)} HTTP/1.1" 200 {rng.randint(100, 90_000)}',
                f"{clock} web{rng.randint(1, 9)} kernel: [{rng.randint(1, 99_999)}.{rng.randint(0, 999_999):06}] eth0: link up, 0x{rng.getrandbits(32):08x}",
                f"{clock} app[{rng.randint(100, 65_000)}]: request {rng.getrandbits(64):016x} from {host} took {rng.randint(1, 9000)} ms",
            )
        )

    def block() -> str:
        return "\n".join((*setting.prose(told), *(line() for _ in range(rng.randint(2, 8)))))

    return lambda index, wanted: [setting.title(), *setting.fill(wanted - 6, block)]
