r"""Four numbers with dots between them that are not an address: versions of programs, pins of packages, sections of
laws and manuals, shapes.

In: four numbers and the text around them. Out: whether they are such a thing.

Words say so, names of programs, and signs such as `==`. A name that is not listed is taken for a program's if it is
written with capitals and the first three numbers are below 64, as those of nearly all versions are and those of 1.6 %
of all addresses.
"""

from __future__ import annotations

import re

# Bytes before the numbers that are looked at.
BACK = 64

# Words that do not name a machine: they are followed by a version, a section, a figure, a shape, an identifier of an
# object.
_WORDS = (
    b"version versions ver v firmware release build kernel git section sections sec clause paragraph chapter ch article abschnitt"
    b" ziffer nummer nr punkt kapitel anlage absatz wersja wersji versie sectie versi\xc3\xb3n secci\xc3\xb3n versione sezione"
    b" paragraaf rozdzia\xc5\x82 pkt rev revision edition patch update upgrade hotfix driver bios uefi bootloader fw sw sdk api"
    b" plugin package snapshot tag milestone shape shapes dims dimension dimensions strides kernel_size oid snmp enterprise theorem"
    b" lemma corollary proposition definition remark equation eq eqn figure fig table tab listing example exercise rule step item"
    b" appendix annex art para subsection subclause level requirement req versiunea verze version_id versionen abbildung abb"
    b" tabelle satz beispiel figura tabla tableau partie figuur tabel rysunek tabela"
).split()
# Programs, systems and libraries whose versions have four numbers or are often found in text, lower case.
_PROGRAMS = (
    b"ios ipados macos osx watchos tvos android windows linux ubuntu debian fedora centos rhel suse opensuse alpine freebsd openbsd"
    b" netbsd solaris chromeos harmonyos symbian openssl libressl gnutls openssh nginx apache httpd lighttpd caddy tomcat jetty iis"
    b" haproxy squid varnish php python pypy perl ruby java jdk jre openjdk node nodejs npm yarn pip conda rust rustc cargo go"
    b" golang gcc g++ clang llvm cmake gradle maven kotlin scala swift lua julia matlab octave mysql mariadb postgresql postgres"
    b" sqlite oracle mongodb redis memcached elasticsearch kafka spark hadoop hive cassandra chrome chromium firefox safari edge"
    b" opera msie explorer mozilla webkit applewebkit gecko trident thunderbird outlook exim postfix sendmail dovecot samba bind"
    b" bind9 curl wget libcurl rsync git svn mercurial docker podman kubernetes kubectl helm terraform ansible puppet chef jenkins"
    b" gitlab wordpress drupal joomla magento typo3 django flask rails laravel symfony react angular vue jquery bootstrap"
    b" tensorflow pytorch torch numpy scipy pandas keras jax cuda cudnn rocm opencv ffmpeg vlc gimp inkscape blender libreoffice"
    b" openoffice office excel word acrobat reader flash photoshop skype zoom teams slack virtualbox vmware qemu kvm xen hyper-v"
    b" wine steam unity unreal directx opengl vulkan mesa glibc musl busybox systemd grub bash zsh vim emacs gnome kde plasma xfce"
    b" qt gtk boost log4j spring hibernate struts junit selenium visual studio eclipse netbeans dotnet .net mono asp.net powershell"
    b" exchange sharepoint routeros openwrt dd-wrt junos fortios pan-os esxi vsphere vcenter"
).split()
# Words with capitals that come before addresses.
_OF_MACHINES = frozenset(
    b"ip ips ipv4 ipaddr ipaddress address addresses addr host hosts hostname server servers client clients gateway router node nodes proxy"
    b" vpn dns nameserver resolver resolvers ping from to at via by source src dest destination dst remote local peer user users get post"
    b" put head connect http https ssh ftp sftp telnet tcp udp smtp imap pop pop3 ntp icmp lan wan nat bgp relay received listen bind"
    b" port ports subnet network networks range ranges google cloudflare quad9 opendns block blocked allow deny ban banned whitelist"
    b" blacklist attacker bot scanner spammer edits login logins adres adresu adresse adressen adresy rechner serwer serwera serveur"
    b" servidor direcci\xc3\xb3n indirizzo bloqueada a aaaa mx ns ptr cname spf origin machine machines website site domain use try set add"
    b" dial visit trace traceroute whois nslookup dig curl wget and or the an is on in of for with as i helo ehlo mail unknown".split()
)

_ANNOUNCED = re.compile(
    rb"(?i:(?<![\w.\-])(?:" + b"|".join(map(re.escape, _WORDS)) + rb"))(?: {1,2}|[.:] |[:=/]| \(|s? (?:of|to) )\Z"
)
_OF_PROGRAM = re.compile(
    rb"(?i:(?<![\w.\-])(?:"
    + b"|".join(map(re.escape, _PROGRAMS))
    + rb"))[0-9]{0,2}(?: {1,2}|: |[=/]| \(| (?:version|ver\.|v\.?) ?)\Z"
)
_SIGN = re.compile(rb"(?:[=~!<>]=|[\^~]|\xc2\xa7|[\w\]] @) ?[\"']?\Z")
_QUOTED = re.compile(
    rb"(?i:version)[\"'][:=]\Z|(?i:version|on_name)\\[\"']:\\[\"']\Z|(?i:version|on_name)[\"']: [\"']\Z|(?i:version)[\"']?[=:] ?[\"']\Z"
)
_SLASH = re.compile(rb"[A-Za-z0-9+]/\Z")
_SLASH_ENDS = re.compile(rb"[ ,;)\n\x00]|\.(?!\w)|\Z")
_NAME = re.compile(rb"(?<![\w.\-@/:\x80-\xff])([A-Za-z][A-Za-z0-9+#\-]*)(?:[ ]|/| \()\Z")
_ENDINGS = re.compile(
    rb"\+|\.(?:tar|t?gz|t?bz2|xz|zip|jar|war|deb|rpm|apk|exe|msi|dmg|iso|whl|so|dll|el[0-9]|fc[0-9]|x86|noarch|ebuild|nupkg)\b"
)
_SMALL = 64


def is_version(before: bytes, span: bytes, after: bytes) -> bool:
    """Whether four numbers are not a machine's address.

    Args:
        before: at most `BACK` bytes in front of them.
        after: some bytes after them.
    """
    if _ENDINGS.match(after):
        return True
    # None of the patterns ends with a bracket, in which mail servers write most addresses.
    if before[-1:] in (b"", b"\n", b"["):
        return False
    if _ANNOUNCED.search(before) or _OF_PROGRAM.search(before) or _SIGN.search(before) or _QUOTED.search(before):
        return True
    if _SLASH.search(before) and not before.endswith(b"//") and _SLASH_ENDS.match(after):
        return True
    found = _NAME.search(before)
    if found is None:
        return False
    name = found[1]
    if name.islower() or name.lower() in _OF_MACHINES:
        return False
    # A name in brackets is that of a host more often than that of a program: two capitals or more.
    if found[0].endswith(b"(") and sum(map(bytes.isupper, (name[i : i + 1] for i in range(len(name))))) < 2:
        return False
    return all(int(number) < _SMALL for number in span.split(b".")[:3])
