"""Fourth batch of look-alikes: planted sites of texts, lists and posts.

As `bench/site_texts.py`: people in public, posters of public archives, and numbers and dates that only look like
particulars of persons. Written by a hand that had not seen the rule that these sites measure.
"""

from __future__ import annotations

from bench.site_filler import Setting, zipf
from bench.site_heavy import PageMaker
from bench.site_people import ascii_slug


def baking_diary(setting: Setting) -> PageMaker:
    """Recipes of one kitchen: portions, quantities, steps by number, thanks to readers by given name."""
    rng, people, label = setting.rng, setting.people, setting.label
    author, numbered = people.name(), rng.random() < 0.6
    units = rng.choice((("g", "ml", "kg"), ("cups", "tbsp", "oz"), ("g", "dl", "x")))

    def page(index: int, wanted: int) -> list[str]:
        items = [
            f"{rng.choice((rng.randint(1, 12) * 25, rng.randint(1, 8)))} {rng.choice(units)} {setting.title(most=3)}"
            for _ in range(rng.randint(3, 12))
        ]
        facts = f"{label('servings')}: {rng.randint(2, 12)} · {label('time')}: {rng.randint(1, 18) * 5} min · {rng.randint(15, 24) * 10} °C"
        steps = setting.prose(max(10, wanted - 50))
        steps = [f"{at}. {step}" for at, step in enumerate(steps, 1)] if numbered else steps
        said = [
            f"{rng.choice(people.pools.given)}, {people.numeric_date(people.day(2012, 2024))}: {setting.title(most=16)}"
            for _ in range(rng.randint(0, 4))
        ]
        by = f"{label('by')} {author}, {people.written_date(people.day(2012, 2024))}"
        return [setting.title(most=5), by, facts, label("ingredients"), "\n".join(items), *steps, *said]

    return page


def package_history(setting: Setting) -> PageMaker:
    """The history of a package: entries by version, each with its maintainer's address and numbers of reports."""
    rng, people = setting.rng, setting.people
    makers = []
    for _ in range(max(2, min(60, setting.pages // 2))):
        name = people.name()
        host = rng.choice((people.firm()[1], "users.noreply.example.org", people.firm()[1]))
        makers.append((name, people.private_email(name) if rng.random() < 0.4 else people.work_email(name, host)))
    shape = rng.randrange(4)

    def entry() -> str:
        (name, email), day = zipf(rng, makers), people.day(1999, 2024)
        version = f"{rng.randint(0, 12)}.{rng.randint(0, 40)}.{rng.randint(0, 9)}-{rng.randint(1, 9)}"
        changes = [setting.title(most=14) for _ in range(rng.randint(1, 6))]
        if shape == 0:
            return "\n".join(
                (
                    f"* {day:%a %b %d %Y} {name} <{email}> - {version}",
                    *(f"- {what} (#{rng.randint(100, 2_000_000)})" for what in changes),
                )
            )
        if shape == 1:
            return "\n".join(
                (
                    f"## [{version}] - {day.isoformat()}",
                    *(f"- {what} (@{ascii_slug(name)[:12]}, #{rng.randint(1, 9000)})" for what in changes),
                )
            )
        if shape == 2:
            return "\n".join(f"{rng.getrandbits(28):07x} {day.isoformat()} {name}: {what}" for what in changes)
        signed = f"Signed-off-by: {name} <{email}>\nReviewed-by: {' '.join(zipf(rng, makers)[:1])}"
        return "\n".join((f"[{version}] {changes[0]}", *setting.prose(rng.randint(0, 40)), signed))

    return lambda index, wanted: [
        f"{setting.domain.split('.')[0]} {rng.randint(0, 9)}.{index}",
        *setting.fill(wanted - 2, entry),
    ]


def firewall_handbook(setting: Setting) -> PageMaker:
    """How a firewall is set up: rules, addresses of networks, ports, keys, output of commands."""
    rng = setting.rng
    public = (24, 80, 91, 151, 178, 195, 212)

    def address() -> str:
        kind = rng.randrange(5)
        if kind == 0:
            return f"172.{rng.randint(16, 31)}.{rng.randint(0, 255)}.{rng.randint(0, 254)}"
        if kind == 1:
            return f"198.51.100.{rng.randint(1, 254)}"
        if kind == 2:
            return f"{rng.choice(public)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"
        if kind == 3:
            return f"2001:db8:{rng.getrandbits(16):x}::{rng.randint(1, 99)}"
        return f"10.{rng.randint(0, 99)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"

    def command() -> str:
        mac = ":".join(f"{rng.getrandbits(8):02x}" for _ in range(6))
        return rng.choice(
            (
                f"-A INPUT -s {address()}/24 -p tcp --dport {rng.randint(20, 9000)} -j ACCEPT",
                f"set security nat source rule-set r{rng.randint(1, 9)} match source-address {address()}/32",
                f"{rng.randint(1, 12)}: eth{rng.randint(0, 7)}: link/ether {mac} inet {address()}",
                f"Jan {rng.randint(1, 28)} 0{rng.randint(0, 9)}:12:{rng.randint(10, 59)} fw kernel: DROP SRC={address()} DST={address()} PROTO=UDP",
                f"alert-mail root@fw{rng.randint(1, 9)}.example.com",
                f"peer {rng.getrandbits(128):032x} endpoint {address()}:51820",
            )
        )

    def part() -> str:
        return "\n".join((*setting.prose(rng.randint(10, 70)), *(f"  {command()}" for _ in range(rng.randint(1, 5)))))

    return lambda index, wanted: [
        f"{index // 9 + 1}.{index % 9 + 1} {setting.title(most=5)}",
        *setting.fill(wanted - 4, part),
    ]


def official_gazette(setting: Setting) -> PageMaker:
    """Acts as a gazette prints them: number, date, articles, who signed in which office."""
    rng, people, label = setting.rng, setting.people, setting.label
    ministers = [people.name() for _ in range(rng.randint(3, 15))]
    short = rng.random() < 0.4

    def article(number: int) -> str:
        points = [f"({at}) {' '.join(setting.prose(rng.randint(8, 40)))}" for at in range(1, rng.randint(2, 5))]
        note = f"[{label('amended')}: {rng.randint(1950, 2024)}/{rng.randint(1, 2000)}]" if rng.random() < 0.3 else ""
        return "\n".join(filter(None, (f"{label('section')} {number}", *points, note)))

    def page(index: int, wanted: int) -> list[str]:
        day, count = people.day(1955, 2024), 0

        def item() -> str:
            nonlocal count
            count += 1
            if short:
                return f"{label('number of act')} {rng.randint(1, 3000)}/{day.year} {people.numeric_date(people.day(day.year - 1, day.year))} {setting.title(most=16)} {rng.randint(1, 4000)}"
            return article(count)

        signed = (
            f"{people.written_date(day)}\n{setting.some('seats') if short else label('role')}: {zipf(rng, ministers)}"
        )
        head = f"{label('number of act')} {rng.randint(1, 900)}, {label('signed')} {people.written_date(day)}"
        return [setting.title(most=10), head, *setting.fill(wanted - 20, item), signed]

    return page


def list_archive(setting: Setting) -> PageMaker:
    """Threads of a public mailing list: headers, quotations, closings; addresses hidden on some sites."""
    rng, people, label = setting.rng, setting.people, setting.label
    local, masked = rng.random() < 0.5, rng.choice((" at ", " (at) ", "@", "@"))
    posters = []
    for _ in range(max(5, min(400, setting.pages // rng.randint(1, 6)))):
        name = people.name()
        email = people.private_email(name) if rng.random() < 0.45 else people.work_email(name, people.firm()[1])
        sign = rng.choice(
            (f"{name.split(' ')[0]}", f"{name}\n{people.firm()[0]}\n{label('phone')} {people.phone()}", "", "")
        )
        posters.append((name, email.replace("@", masked), sign))

    def head(name: str, email: str) -> str:
        day, hour = people.day(1997, 2023), f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"
        topic = f"Re: [{setting.domain.split('.')[0][:8]}] {setting.title()}"
        if local:
            return f"{label('from')}: {name} <{email}>\n{label('subject')}: {topic}\n{label('date')}: {people.written_date(day)} {hour}"
        mark = f"{rng.getrandbits(40):x}@mail.{setting.domain}"
        return f"From: {name} <{email}>\nTo: list@{setting.domain}\nDate: {day:%a, %d %b %Y} {hour}:00 +0100\nSubject: {topic}\nMessage-ID: <{mark}>"

    def message() -> str:
        name, email, sign = zipf(rng, posters)
        quoted = [f"> {text}" for text in setting.prose(rng.choice((0, 15, 40)))]
        return "\n".join((head(name, email), "", *quoted, *setting.prose(rng.randint(15, 120)), sign, label("reply")))

    return lambda index, wanted: [setting.title(), *setting.fill(wanted - 4, message)]


def biographical_dictionary(setting: Setting) -> PageMaker:
    """Short lives of people known in public, living and dead, with exact dates and places of birth."""
    rng, people, label = setting.rng, setting.people, setting.label
    shape, numeric, living = rng.randrange(3), rng.random() < 0.4, rng.uniform(0.1, 0.6)
    length = rng.randint(15, 120)

    def life() -> str:
        birth = people.day(1780, 1985)
        dead = birth.year < 1925 or rng.random() > living
        death = people.day(birth.year + 30, min(birth.year + 90, 2023))
        write = people.numeric_date if numeric else people.written_date
        given, surname = people.name().rsplit(" ", 1)
        born, town, figure = write(birth), people.town().name, setting.some("figures")
        end = f"; † {write(death)}, {people.town().name}" if dead else ""
        text = " ".join(setting.prose(rng.randint(10, length)))
        if shape == 0:
            return f"{surname.upper()}, {given} (* {born}, {town}{end}), {figure}. {text}"
        kin = (
            f"\n{label('married')} {rng.randint(birth.year + 20, birth.year + 40)} {people.name()}"
            if rng.random() < 0.3
            else ""
        )
        if shape == 1:
            return f"{given} {surname}\n{label('birth date')} {born}, {town}{end}\n{figure}{kin}\n{text}"
        works = "; ".join(
            f"{setting.title(most=5)} ({rng.randint(birth.year + 20, birth.year + 60)})"
            for _ in range(rng.randint(1, 4))
        )
        return f"{given} {surname}, {figure}, {born} ({town}){end}. {text}\n{works}"

    return lambda index, wanted: [f"{rng.choice(people.pools.surnames)[:2]}…", *setting.fill(wanted - 1, life)]


def motor_forum(setting: Setting) -> PageMaker:
    """Threads by nicknames with town, date of joining and number of posts in the margin, and signatures that recur."""
    rng, people, label = setting.rng, setting.people, setting.label
    margin, users = rng.random() < 0.7, []
    for _ in range(max(6, min(600, setting.pages * 2))):
        nick = f"{ascii_slug(rng.choice(people.pools.streets))[:9]}{rng.choice(('', '_', '-'))}{rng.choice(('', str(rng.randint(1, 2000))))}"
        facts = f"{label('joined forum')}: {people.numeric_date(people.day(2003, 2023))}\n{label('posts')}: {rng.randint(1, 9000)}\n{label('town')}: {people.town().name}"
        car = f"{rng.choice(('1.9 TDI', 'GTI', 'V6', 'CBR 600', 'R 1200'))} {rng.randint(1985, 2022)}, {rng.randint(10, 300)} 000 km"
        users.append(
            (
                nick,
                facts if margin else "",
                rng.choice((car, setting.title(), f"{rng.choice(people.pools.given)}, {car}", "", "")),
            )
        )

    def post() -> str:
        nick, facts, sign = zipf(rng, users)
        quoted = f"{zipf(rng, users)[0]} {label('said')}: “{setting.title(most=14)}”" if rng.random() < 0.3 else ""
        seller = f" ({label('dealer')}: {people.firm()[0]}, {people.phone()})" if rng.random() < 0.04 else ""
        text = " ".join(setting.prose(rng.randint(8, 100))) + seller
        day = f"#{rng.randint(1, 400)} {people.numeric_date(people.day(2004, 2024))}, {rng.randint(0, 23):02}:{rng.randint(0, 59):02}"
        return "\n".join(filter(None, (nick, facts, day, quoted, text, sign and f"-- {sign}")))

    return lambda index, wanted: [
        f"{setting.title()} – {label('reply')} {rng.randint(0, 300)}",
        *setting.fill(wanted - 4, post),
    ]


def garden_blog(setting: Setting) -> PageMaker:
    """A blog on a domain of its own: dated posts, comments by given names, the author's line in the margin."""
    rng, people, label = setting.rng, setting.people, setting.label
    author = people.name()
    about = rng.choice(
        (
            f"{label('about')}: {author}, {people.town().name}",
            f"{label('contact')}: {people.private_email(author)}",
            f"{author} – {people.street()}, {people.place(people.town())}, {label('email')}: hello@{setting.domain}",
            "",
        )
    )
    friends = [rng.choice(people.pools.given) for _ in range(rng.randint(3, 30))]

    def post() -> str:
        said = [
            f"{zipf(rng, friends)} ({people.numeric_date(people.day(2008, 2024))}): {setting.title(most=18)}"
            for _ in range(rng.choice((0, 0, 1, 3, 6)))
        ]
        day, length = people.written_date(people.day(2008, 2024)), rng.randint(40, 260)
        tags = f"{label('tags')}: {setting.title(most=3)}, {people.town().name}"
        return "\n".join((f"{setting.title()}\n{day}", *setting.prose(length), tags, *said))

    return lambda index, wanted: [setting.title(), *setting.fill(wanted - 30, post), about]
