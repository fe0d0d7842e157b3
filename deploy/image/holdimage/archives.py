# SPDX-License-Identifier: Apache-2.0
"""The libraries that a static program needs and Debian has no fit archive of, built from Debian's own sources.

Debian's libcurl.a wants Kerberos and LDAP, which have no archives; its libwebsockets.a loads its part for libuv as a plugin; of
libsystemd there is no archive at all. So these three are built, with what holdfast calls and nothing else. All others
(OpenSSL, libuv, zstd, ...) are Debian's archives.

What was built is kept in the user's cache folder by the versions of the sources, of the headers and of the compiler, and by this
file. Debian is asked for newer sources once a day; without a network, what there is is used.
"""

import concurrent.futures
import fcntl
import glob
import hashlib
import os
import shutil
import subprocess
import time

from . import apt, debian
from .machine import Cannot, Error, cache
from .sysroot import release

KEEP_S, ASK_S = 30 * 86400, 86400
HEADERS = ("libc6-dev", "libssl-dev", "libnghttp2-dev", "libuv1-dev", "libzstd-dev", "liblzma-dev", "liblz4-dev", "libcap-dev")
TOOLS = ("make", "pkg-config", "meson", "ninja", "cmake", "gperf", "dpkg-source")
FLAGS = ("-O2 -ffunction-sections -fdata-sections -fPIE -fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=2 "
         "-fno-asynchronous-unwind-tables -fno-strict-overflow -Wno-error -w")
# Sizes of time and files as in the programs' own objects, which share structs with libcurl and libwebsockets.
WIDE = " -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64"

WITHOUT_CURL = """zlib brotli zstd libpsl libidn2 librtmp libssh2 gssapi ca-bundle ca-path""".split()
DISABLE_CURL = """shared ldap ldaps rtsp ftp file dict telnet tftp pop3 imap smb smtp gopher mqtt manual ntlm alt-svc
    tls-srp libcurl-option dependency-tracking openssl-auto-load-config""".split()
LWS = {"LWS_WITH_SHARED": "OFF", "LWS_WITH_LIBUV": "ON", "LWS_WITH_EVLIB_PLUGINS": "OFF", "LWS_WITHOUT_TESTAPPS": "ON", "LWS_WITH_SSL": "OFF",
       "LWS_WITHOUT_CLIENT": "ON", "LWS_WITH_HTTP2": "OFF", "LWS_IPV6": "ON", "LWS_UNIX_SOCK": "ON", "DISABLE_WERROR": "ON", "CMAKE_BUILD_TYPE": "None"}
NOT_SYSTEMD = """gcrypt gnutls openssl libcurl libidn2 p11kit tpm2 zlib bzip2 idn resolve importd homed dns-over-tls tests man translations utmp hibernate
    efi""".split()
FAMILIES = {"x86_64": "x86_64", "aarch64": "aarch64", "arm": "arm"}


class Kit:
    """How to compile for one processor. `root`: "/", or a Debian tree of it."""

    def __init__(self, one, root):
        self.one, self.root = one, root
        self.cross = root != "/"
        self.compiler = one.tool("gcc")
        self.libraries = os.path.join(root, "usr/lib", one.triplet)
        missing = [name for name in (*TOOLS, self.compiler) if shutil.which(name) is None]
        missing += [] if subprocess.run(["python3", "-c", "import jinja2"], stderr=subprocess.DEVNULL, check=False).returncode == 0 else ["python3-jinja2"]
        missing += [name for name in ("libcap.a", "liblz4.a", "libnghttp2.a") if not os.path.exists(os.path.join(self.libraries, name))]
        if missing:
            raise Cannot(f"{one.name}: {', '.join(missing)} not installed (hack/setup.sh build static)")

    def sysroot(self):
        return [f"--sysroot={self.root}", f"-isystem{self.root}/usr/include/{self.one.triplet}"] if self.cross else []

    def flags(self, source, build):
        """Flags that make the objects the same in every folder."""
        return " ".join([FLAGS, *self.sysroot(), f"-ffile-prefix-map={source}=.", f"-ffile-prefix-map={build}=."])

    def link(self):
        return " ".join([f"--sysroot={self.root}", f"-L{self.libraries}"] if self.cross else [])

    def environment(self, extra=""):
        """pkg-config finds the processor's libraries, and first those in the folder `extra`."""
        folders = [f for f in (extra, f"{self.libraries}/pkgconfig", os.path.join(self.root, "usr/share/pkgconfig")) if f]
        more = {"PKG_CONFIG_LIBDIR": ":".join(folders), "SOURCE_DATE_EPOCH": "0", "LC_ALL": "C"}
        return {**os.environ, **more, **({"PKG_CONFIG_SYSROOT_DIR": self.root} if self.cross else {})}


def run(argv, cwd, environment):
    done = subprocess.run(argv, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    if done.returncode != 0:
        raise Error(f"{' '.join(argv)[:120]}: {' / '.join(done.stdout.strip().splitlines()[-12:])}")


def curl(kit, source, build, out, jobs):
    """HTTP and HTTPS with HTTP/2, names looked up in threads."""
    wide = WIDE if kit.one.name == "armv7" else ""
    words = [f"--without-{name}" for name in WITHOUT_CURL] + [f"--disable-{name}" for name in DISABLE_CURL]
    environment = kit.environment()
    run([os.path.join(source, "configure"), "--build=" + subprocess.check_output(["gcc", "-dumpmachine"], text=True).strip(), f"--host={kit.one.triplet}",
         "--prefix=/usr", "--enable-static", "--with-openssl", "--with-nghttp2", "--enable-threaded-resolver", *words, f"CC={kit.compiler}",
         f"CFLAGS={kit.flags(source, build)}{wide}", f"LDFLAGS={kit.link()}"], build, environment)
    run(["make", f"-j{jobs}", "-C", "lib"], build, environment)
    shutil.copy(os.path.join(build, "lib/.libs/libcurl.a"), os.path.join(out, "lib"))


def libwebsockets(kit, source, build, out, jobs):
    """The HTTP server on libuv, without TLS."""
    wide = WIDE if kit.one.name == "armv7" else ""
    words = [f"-D{name}={value}" for name, value in LWS.items()]
    if kit.cross:
        words += [f"-DCMAKE_SYSROOT={kit.root}", f"-DCMAKE_FIND_ROOT_PATH={kit.root}", "-DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER",
                  f"-DCMAKE_LIBRARY_ARCHITECTURE={kit.one.triplet}", "-DCMAKE_SYSTEM_NAME=Linux", f"-DCMAKE_SYSTEM_PROCESSOR={kit.one.triplet.split('-')[0]}"]
    words += [f"-DLIBUV_LIBRARIES={kit.libraries}/libuv_a.a", f"-DLIBUV_INCLUDE_DIRS={os.path.join(kit.root, 'usr/include')}"]
    environment = kit.environment()
    run(["cmake", "-G", "Ninja", source, *words, f"-DCMAKE_C_COMPILER={kit.compiler}", f"-DCMAKE_C_FLAGS={kit.flags(source, build)}{wide}"], build, environment)
    run(["ninja", f"-j{jobs}", "websockets"], build, environment)
    shutil.copy(os.path.join(build, "lib/libwebsockets.a"), os.path.join(out, "lib"))
    shutil.copytree(os.path.join(build, "include"), os.path.join(out, "include"), dirs_exist_ok=True)


def systemd(kit, source, build, out, jobs):
    """libsystemd: the bus, the journal, notifications. All of systemd is configured, one archive is built."""
    extra = os.path.join(build, "pkgconfig")
    os.makedirs(extra)
    with open(os.path.join(extra, "mount.pc"), "w", encoding="ascii") as file:      # for mount units, which libsystemd has none of
        file.write("Name: mount\nDescription: not needed\nVersion: 2.38\n")
    processor = kit.one.triplet.split("-")[0]
    words = ", ".join(f"'{word}'" for word in kit.flags(source, build).split())
    links = ", ".join(f"'{word}'" for word in kit.link().split())
    with open(os.path.join(build, "cross.ini"), "w", encoding="ascii") as file:
        file.write(f"[binaries]\nc = '{kit.compiler}'\nar = '{kit.one.tool('gcc-ar')}'\nstrip = '{kit.one.tool('strip')}'\npkgconfig = 'pkg-config'\n"
                   f"[built-in options]\nc_args = [{words}]\nc_link_args = [{links}]\n"
                   f"[properties]\nneeds_exe_wrapper = true\n"
                   f"[host_machine]\nsystem = 'linux'\ncpu_family = '{FAMILIES[processor]}'\ncpu = '{processor}'\nendian = 'little'\n")
    options = ["--auto-features=disabled", "--buildtype=plain", "-Dmode=release", "-Dversion-tag=252", "-Dstatic-libsystemd=pic", "-Dlz4=true", "-Dxz=true",
               "-Dzstd=true", *(f"-D{name}=false" for name in NOT_SYSTEMD)]
    environment = kit.environment(extra)
    run(["meson", "setup", "--cross-file", "cross.ini", *options, "obj", source], build, environment)
    run(["ninja", f"-j{jobs}", "-C", "obj", "libsystemd.a"], build, environment)
    shutil.copy(os.path.join(build, "obj/libsystemd.a"), os.path.join(out, "lib"))


LIBRARIES = {"systemd": systemd, "curl": curl, "libwebsockets": libwebsockets}           # Debian's source package: how; the longest first


def folder(one, root="/", say=print, offline=False, jobs=2):
    """The folder with lib/ and include/ for the processor `one`. Two minutes when cold, on two cores."""
    top = cache("archives")
    os.makedirs(top, exist_ok=True)
    with open(os.path.join(top, f"{one.name}.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)           # of two callers, the second finds the work done
        return _folder(Kit(one, root), top, say, offline, jobs)


def _folder(kit, top, say, offline, jobs):
    start = os.path.join(top, f"{kit.one.name}-{_recipe(kit)}-")
    there = sorted(glob.glob(start + "*/complete"), key=os.path.getmtime)
    asked = os.path.join(top, "asked")
    if there and (offline or (os.path.exists(asked) and os.path.getmtime(asked) > time.time() - ASK_S)):
        return _use(os.path.dirname(there[-1]))
    try:
        if offline:
            raise Error("no network was allowed")
        source = apt.Root(os.path.join(top, "apt"), sources=True)
        source.update()
        wanted = sorted(line.split()[-1] + line.split()[1] for line in source.run("source", "--print-uris", *LIBRARIES).splitlines() if line.startswith("'"))
        with open(asked, "w", encoding="ascii"):
            pass
        path = start + hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:16]
        if not os.path.exists(os.path.join(path, "complete")):
            _build(kit, source, path, say, jobs)
    except Error as error:
        if not there:
            raise Cannot(f"no archives of libraries for {kit.one.name}: {error}") from error
        say(f"static: {kit.one.name}: the archives of libraries may be old: {error}")
        path = os.path.dirname(there[-1])
    _forget(top, kit.one, path)
    return _use(path)


def _recipe(kit):
    """What else decides what comes out: this file, the compiler, the headers."""
    known = debian.Packages(kit.root)
    found = [known.named(name, kit.one.debian) for name in HEADERS]
    with open(os.path.realpath(__file__), "rb") as own:
        words = [own.read().decode(), release(), subprocess.check_output([kit.compiler, "--version"], text=True), "tree" if kit.cross else "native"]
    return hashlib.sha256("\n".join(words + [f"{one.name} {one.version}" for one in found if one]).encode()).hexdigest()[:12]


def _build(kit, source, path, say, jobs):
    say(f"static: {kit.one.name}: building {', '.join(LIBRARIES)} as archives")
    work = path + ".work"
    for place in (path, work):
        shutil.rmtree(place, ignore_errors=True)
    for place in (path + "/lib", path + "/include", work):
        os.makedirs(place)
    source.run("source", "--download-only", *LIBRARIES, cwd=work)

    def one(name):
        described = glob.glob(os.path.join(work, f"{name}_*.dsc"))
        run(["dpkg-source", "--no-check", "-x", described[0], f"{name}.source"], work, os.environ)
        build = os.path.join(work, name + ".build")
        os.makedirs(build)
        LIBRARIES[name](kit, os.path.join(work, name + ".source"), build, path, max(1, jobs - 1))

    with concurrent.futures.ThreadPoolExecutor(2) as pool:             # configuring takes half of the time, on one core
        list(pool.map(one, LIBRARIES))
    shutil.rmtree(work)
    with open(os.path.join(path, "complete"), "w", encoding="ascii"):
        pass


def _use(path):
    os.utime(os.path.join(path, "complete"))
    return path


def _forget(top, one, path):
    for old in glob.glob(os.path.join(top, f"{one.name}-*")):
        mark = os.path.join(old, "complete")
        if old != path and (not os.path.exists(mark) or os.path.getmtime(mark) < time.time() - KEEP_S):
            shutil.rmtree(old, ignore_errors=True)
