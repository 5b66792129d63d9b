"""Whose an e-mail address is: nobody's, somebody's at work, or a private person's.

In: an address and the site that shows it. Out: one of three. Only the address is looked at.
"""

from __future__ import annotations

import re
from enum import Enum

# Local parts that name an office: those of RFC 2142, and their like in other languages.
_OFFICES = frozenset(
    "abuse accueil admin administration anfrage assistance billing biuro booking bookings buero bureau careers"
    " center central centre club commercial comunicacion contact contacto contactos contacts contato contatti"
    " customer customercare datenschutz default desk direccion dpo editor editorial editors email empfang"
    " enquiries enquiry events example feedback finance formation ftp general guest hallo hello help helpdesk"
    " hostmaster hotel hr impressum info informacion informacja informatie information informatique inquiries"
    " inquiry invoices jobs kancelaria klantenservice kontakt kundenservice legal list lists mail mailbox mailer"
    " majordomo marketing media moderator news newsletter newsroom no-reply noc noreply office oficina orders pl"
    " post postmaster poststelle pr praca praxis prensa press presse privacy recepcion reception recruiting"
    " recrutement redaccion redaction redakcja redaktion redazione reply request reservas reservation reservations"
    " reservierung root sales secretaria secretariat secretary security segreteria sekretariaat sekretariat"
    " service services shop sklep somebody someone spam staff stampa store studio subscribe support team test"
    " ticket tickets tienda unsubscribe usenet user username uucp ventas verkauf vertrieb verwaltung voorlichting"
    " webmaster welcome www you your yourname zamowienia zentrale".split()
)
_EXAMPLES = re.compile(rb"(?:.*\.)?(?:example(?:\.(?:com|net|org))?|test|invalid|localhost|localdomain|local)")
_BORDERS = re.compile(rb"[._+\-]")
# Providers of mail for private persons, of the countries whose languages the patterns know and of the whole world; and
# what a provider has in many countries, before the country.
_PROVIDERS = frozenset(
    "126.com 163.com abv.bg alice.it aliceadsl.fr aol.com aol.de arcor.de armyspy.com att.net bbox.fr"
    " bellsouth.net bigpond.com bluewin.ch blueyonder.co.uk bol.com.br btinternet.com centrum.cz centrum.sk"
    " charter.net chello.nl club-internet.fr comcast.net cox.net cuvox.de dayrep.com earthlink.net einrot.com"
    " eircom.net email.cz email.it fastwebnet.it fleckens.hu free.fr freemail.hu freenet.de frontier.com gazeta.pl"
    " gmail.com googlemail.com gustr.com hanmail.net hetnet.nl home.nl icloud.com ig.com.br inbox.com inbox.lv"
    " indamail.hu interia.eu interia.pl inwind.it jourrapide.com juno.com kabelmail.de kpnmail.nl kpnplanet.nl"
    " laposte.net libero.it list.ru mac.com mail.com mail.de mail.ru mailbox.org mailinator.com me.com msn.com"
    " naver.com netcologne.de netscape.net netzero.net neuf.fr nifty.com noos.fr ntlworld.com numericable.fr o2.pl"
    " onet.eu onet.pl online.de online.nl op.pl optonline.net optusnet.com.au orange.es orange.fr orange.net"
    " planet.nl poczta.fm poczta.onet.pl posteo.de proton.me protonmail.com qq.com quicknet.nl rambler.ru"
    " rediffmail.com rhyta.com rocketmail.com rogers.com sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca sina.com"
    " sky.com skynet.be sunrise.ch superrito.com swissonline.ch sympatico.ca t-online.de talk21.com talktalk.net"
    " tele2.nl telefonica.net telenet.be teleworm.us telfort.nl terra.com.br terra.es tin.it tiscali.co.uk"
    " tiscali.it tiscali.nl tlen.pl trashmail.com tutanota.com unitybox.de uol.com.br upcmail.nl verizon.net"
    " vfemail.net virgilio.it virgin.net virginmedia.com vodafone.de vodafone.it voila.fr vp.pl wanadoo.es"
    " wanadoo.fr web.de windstream.net wp.pl xs4all.nl ya.com yandex.com yandex.ru ymail.com ziggo.nl zoho.com"
    " zonnet.nl".split()
)
_IN_MANY_COUNTRIES = re.compile(r"(?:gmx|yahoo|hotmail|outlook|live|windowslive)\.(?:com?\.)?[a-z]{2,3}")


class Owner(Enum):
    """Whose an address is."""

    OFFICE = "office"
    WORK = "work"
    PRIVATE = "private"


def owner_of(address: bytes, site: str | None) -> Owner:
    """Whose an e-mail address is.

    An address is an office's if its domain is the site's own or one of the domains for examples (RFC 2606, sections 2
    and 3; RFC 6762 for `local`), or if its local part names an office; private if its domain is that of a provider of
    mail for private persons; of somebody at work otherwise.
    """
    local, _, domain = address.lower().rpartition(b"@")
    own = b"" if site is None else site.encode()
    if (own and (domain == own or domain.endswith(b"." + own))) or _EXAMPLES.fullmatch(domain):
        return Owner.OFFICE
    words = (word.decode("utf-8", "replace") for word in (local, *_BORDERS.split(local)))
    if any(word in _OFFICES for word in words):
        return Owner.OFFICE
    name = domain.decode("utf-8", "replace")
    return Owner.PRIVATE if name in _PROVIDERS or _IN_MANY_COUNTRIES.fullmatch(name) else Owner.WORK
