"""Whose an e-mail address is."""

from __future__ import annotations

import pytest

from pipeline.text.personal.addresses import Owner, owner_of


@pytest.mark.parametrize(
    ("address", "site", "owner"),
    [
        # The site's own, and what lies below it; not what only ends alike, and not what lies above.
        ("ann.lee@acme-mill.com", "acme-mill.com", Owner.OFFICE),
        ("ann.lee@mail.acme-mill.com", "acme-mill.com", Owner.OFFICE),
        ("Ann.Lee@ACME-Mill.com", "acme-mill.com", Owner.OFFICE),
        ("ann.lee@old-acme-mill.com", "acme-mill.com", Owner.WORK),
        ("ann.lee@github.io", "ann.github.io", Owner.WORK),
        ("ann.lee@acme-mill.com", None, Owner.WORK),
        ("ann.lee@acme-mill.com", "", Owner.WORK),
        ("ann.lee@gmail.com", "gmail.com", Owner.OFFICE),
        # Offices, in several languages, as a whole or between borders.
        ("info@gmail.com", None, Owner.OFFICE),
        ("INFO@gmail.com", None, Owner.OFFICE),
        ("webmaster@acme-mill.com", None, Owner.OFFICE),
        ("no-reply@acme-mill.com", None, Owner.OFFICE),
        ("kontakt@wp.pl", None, Owner.OFFICE),
        ("sekretariat.szkola@wp.pl", None, Owner.OFFICE),
        ("praxis-mueller@t-online.de", None, Owner.OFFICE),
        ("segreteria_generale@libero.it", None, Owner.OFFICE),
        ("accueil+lyon@orange.fr", None, Owner.OFFICE),
        ("reservas@telefonica.net", None, Owner.OFFICE),
        ("informant@gmail.com", None, Owner.PRIVATE),
        ("annsales@gmail.com", None, Owner.PRIVATE),
        # Domains for examples.
        ("ann.lee@example.com", None, Owner.OFFICE),
        ("ann.lee@mail.example.org", None, Owner.OFFICE),
        ("ann.lee@example", None, Owner.OFFICE),
        ("ann.lee@host.test", None, Owner.OFFICE),
        ("ann.lee@printer.local", None, Owner.OFFICE),
        ("ann.lee@my-example.com", None, Owner.WORK),
        ("ann.lee@example.co", None, Owner.WORK),
        ("ann.lee@latest", None, Owner.WORK),
        # Providers for private persons.
        ("ann.lee@gmail.com", None, Owner.PRIVATE),
        ("ann.lee@gmail.com", "acme-mill.com", Owner.PRIVATE),
        ("ann.lee@GMail.com", None, Owner.PRIVATE),
        ("jan@wp.pl", None, Owner.PRIVATE),
        ("ann.lee@yahoo.co.uk", None, Owner.PRIVATE),
        ("ann.lee@gmx.at", None, Owner.PRIVATE),
        ("ann.lee@sub.gmail.com", None, Owner.WORK),
        ("ann.lee@notgmail.com", None, Owner.WORK),
        ("jörg@müller-mühle.de", None, Owner.WORK),
        ("jörg@web.de", None, Owner.PRIVATE),
    ],
)
def test_owners(address: str, site: str | None, owner: Owner) -> None:
    assert owner_of(address.encode(), site) is owner


def test_what_is_no_address_belongs_to_somebody() -> None:
    assert owner_of(b"", None) is Owner.WORK
    assert owner_of(b"\xff@\xfe", "x.org") is Owner.WORK
