# SPDX-License-Identifier: Apache-2.0
"""What the smallest programs link: musl and seven libraries, compiled for size from Debian's own sources, for any processor that Debian has a
cross compiler of. No tree of that processor is needed.

The libraries are compiled file by file, without their build systems: these few lines are what those would find out. What was built is kept in
the user's cache folder, as by archives.py.
"""

import concurrent.futures
import fcntl
import glob
import hashlib
import inspect
import os
import shutil
import subprocess

from . import apt
from .archives import run
from .machine import MACHINES, Cannot, Error, Machine, cache

RISCV64 = Machine("riscv64", "riscv64", "riscv64-linux-gnu", "qemu-riscv64", "riscv64")
KNOWN = {**MACHINES, "riscv64": RISCV64}
SIZE = "-Os -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-strict-overflow".split()
WIDE = "-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -D_GNU_SOURCE -w".split()
# Debian's source package: files, flags ("@" is its folder), headers that programs include.
LIBRARIES = {
    "libuv1": (["src/*.c", *(f"src/unix/{name}.c" for name in """async core dl fs getaddrinfo getnameinfo loop-watcher loop pipe poll process
                random-devurandom signal stream tcp thread tty udp proctitle linux-core linux-inotify linux-syscalls procfs-exepath
                random-getrandom random-sysctl-linux epoll""".split())], ["-I@/include", "-I@/src"], "include/*"),
    "jansson": (["src/*.c"], ["-I@/android", "-I@/src", "-DHAVE_STDINT_H", "-DHAVE_UNISTD_H", "-DHAVE_SYS_TIME_H", "-DHAVE_SYS_TYPES_H",
                "-DUSE_URANDOM=1", "-DHAVE_FCNTL_H", "-DHAVE_OPEN", "-DHAVE_READ", "-DHAVE_CLOSE", "-DHAVE_GETPID", "-DHAVE_GETTIMEOFDAY",
                "-DINITIAL_HASHTABLE_ORDER=3", "-DHAVE_ATOMIC_BUILTINS=1"], "src/jansson.h android/*.h"),
    "libyaml": (["src/*.c"], ["-I@/include", "-DYAML_VERSION_MAJOR=0", "-DYAML_VERSION_MINOR=2", "-DYAML_VERSION_PATCH=5",
                '-DYAML_VERSION_STRING="0.2.5"'], "include/*"),
    "libsodium": ([f"src/libsodium/{name}.c" for name in """crypto_sign/ed25519/ref10/open crypto_sign/ed25519/ref10/sign
                   crypto_core/ed25519/ref10/ed25519_ref10 crypto_hash/sha512/cp/hash_sha512_cp crypto_verify/sodium/verify sodium/utils""".split()],
                  ["-DCONFIGURED=1", "-DHAVE_WEAK_SYMBOLS", *(f"-I@/src/libsodium/include{part}" for part in ("", "/sodium", "/sodium/private"))],
                  "src/libsodium/include/sodium"),
    "libzstd": (["lib/common/*.c", "lib/decompress/*.c"], ["-I@/lib", "-DZSTD_DISABLE_ASM", "-DZSTD_LEGACY_SUPPORT=0", "-DHUF_FORCE_DECOMPRESS_X1",
                "-DZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT", "-DZSTD_NO_INLINE", "-DZSTD_STRIP_ERROR_STRINGS"], "lib/*.h"),
    "zlib": (["*.c"], ["-I@", "-DHAVE_UNISTD_H", "-DNO_GZIP"], "zlib.h zconf.h"),
    "xz-utils": ([f"src/liblzma/{name}.c" for name in """common/common common/filter_common common/filter_decoder common/vli_decoder
                common/stream_decoder common/block_decoder common/block_header_decoder common/block_util common/stream_flags_decoder
                common/stream_flags_common common/index_hash common/vli_size common/filter_flags_decoder check/check check/crc32_small
                check/crc64_small lzma/lzma_decoder lzma/lzma2_decoder lz/lz_decoder""".split()],
                 ["-DASSUME_RAM=32", *(f"-DHAVE_{has}" for has in """STDINT_H INTTYPES_H STDBOOL_H LIMITS_H STRING_H DECODERS DECODER_LZMA1
                DECODER_LZMA2 VISIBILITY=0 CHECK_CRC32 CHECK_CRC64 SMALL FUNC_ATTRIBUTE_CONSTRUCTOR""".split()), *(f"-I@/src/liblzma/{part}" for part in
                 "api common check lz rangecoder lzma delta simple ../common".split())], "src/liblzma/api/*"),
}
APPLETS = "ASH SH_IS_ASH ASH_ECHO ASH_TEST TEST CAT GREP SLEEP TOUCH".split()


def folder(one, say=print, offline=False, jobs=2):
    """The folder with bin/gcc, lib/ and include/ for the processor `one`."""
    top = cache("musl")
    os.makedirs(top, exist_ok=True)
    missing = [name for name in ("make", "dpkg-source", one.tool("gcc")) if shutil.which(name) is None]
    if missing:
        raise Cannot(f"{one.name}: {', '.join(missing)} not installed (hack/setup.sh build arch)")
    recipe = repr((SIZE, WIDE, LIBRARIES, APPLETS)) + inspect.getsource(_build) + inspect.getsource(busybox)  # what decides on the bytes
    recipe += subprocess.check_output([one.tool("gcc"), "--version"], text=True)
    path = os.path.join(top, f"{one.name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}")
    with open(os.path.join(top, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)           # of two callers, the second finds the work done
        if not os.path.exists(os.path.join(path, "complete")):
            _build(one, _sources(top, offline), path, say, jobs)
    return path


def busybox(one, say=print, offline=False, jobs=2):
    """The path of a static busybox of musl with the APPLETS for the processor `one`: the userland of small devices, for tests."""
    kit, top = folder(one, say, offline, jobs), cache("musl")
    path = os.path.join(kit, "bin", "busybox")
    with open(os.path.join(top, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            source, work = _sources(top, offline, ("busybox",))["busybox"], os.path.join(kit, "work")
            say(f"small: {one.name}: building busybox")
            shutil.rmtree(work, ignore_errors=True)
            os.makedirs(work)
            wanted = {f"CONFIG_{word}" for word in ("STATIC", "LFS", *APPLETS)}
            run(["make", "-s", "-C", source, f"O={work}", "allnoconfig"], work, os.environ)
            with open(os.path.join(work, ".config"), "r+", encoding="ascii") as file:
                rest = [line for line in file if line.replace("=", " ").replace("# ", "").split()[:1] not in [[word] for word in wanted]]
                file.seek(0)
                file.truncate()
                file.writelines(rest + [f"{word}=y\n" for word in sorted(wanted)])
            run(["sh", "-c", "yes '' | make -s oldconfig"], work, os.environ)
            run(["make", "-s", f"-j{jobs}", f"CC={kit}/bin/musl-gcc", f"CROSS_COMPILE={one.tool('')}", "busybox"], work, os.environ)
            os.rename(os.path.join(work, "busybox"), path)
            shutil.rmtree(work)
    return path


def settings(kit, top):
    """What make needs to build with the folder `kit`."""
    flags = [*SIZE, "-DNDEBUG", f"-ffile-prefix-map={top}=."]
    return [f"CC={kit}/bin/musl-gcc", f"PKG_CFLAGS=-isystem {kit}/include", f"PKG_LIBS=-L{kit}/lib {' '.join(f'-l:{name}.a' for name in LIBRARIES)}",
            "LINK=-static -no-pie -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections", f"CFLAGS_release={' '.join(flags)}",
            "HARDEN=-fno-strict-overflow -fvisibility=hidden"]


def _sources(top, offline, names=("musl", *LIBRARIES)):
    """Package -> folder of its sources."""
    there = os.path.join(top, "sources")
    missing = [name for name in names if not os.path.exists(os.path.join(there, name))]
    if missing:
        if offline:
            raise Cannot(f"no sources of {', '.join(missing)}, and no network was allowed")
        os.makedirs(there, exist_ok=True)
        wrong = None
        try:
            root = apt.Root(os.path.join(top, "apt"), sources=True)
            wrong = root.update()
            root.run("source", "--download-only", *missing, cwd=there)
        except Error as error:
            raise Cannot(f"apt gives no sources: {wrong or error}") from error
        for name in missing:
            shutil.rmtree(os.path.join(there, f"{name}.new"), ignore_errors=True)
            run(["dpkg-source", "--no-check", "-x", glob.glob(os.path.join(there, f"{name}_*.dsc"))[0], f"{name}.new"], there, os.environ)
            os.rename(os.path.join(there, f"{name}.new"), os.path.join(there, name))
    return {name: os.path.join(there, name) for name in names}


def _build(one, sources, path, say, jobs):
    say(f"small: {one.name}: building {', '.join(sources)} as archives")
    shutil.rmtree(path, ignore_errors=True)
    work = os.path.join(path, "work")
    os.makedirs(work)
    run([os.path.join(sources["musl"], "configure"), f"--target={one.triplet}", f"--prefix={path}", f"CC={one.tool('gcc')}", "--disable-shared",
         "--enable-wrapper=gcc", f"CFLAGS={' '.join(SIZE)}"], work, os.environ)
    run(["make", f"-j{jobs}", "install"], work, os.environ)
    for name in ("linux", "asm", "asm-generic"):                       # the kernel's, beside musl's own
        places = [os.path.join(place, name) for place in (f"/usr/{one.triplet}/include", f"/usr/include/{one.triplet}", "/usr/include")]
        os.symlink(next(filter(os.path.isdir, places), places[0]), os.path.join(path, "include", name))
    with open(os.path.join(path, "include", "jansson_private_config.h"), "w", encoding="ascii"):
        pass                                                           # jansson's, as flags
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for name, (files, flags, headers) in LIBRARIES.items():
            source = sources[name]
            for pattern in headers.split():
                for found in glob.glob(os.path.join(source, pattern)):
                    (shutil.copytree if os.path.isdir(found) else shutil.copy)(found, os.path.join(path, "include", os.path.basename(found)))
            paths = sorted(found for pattern in files for found in glob.glob(os.path.join(source, pattern)))
            objects = [os.path.join(work, f"{name}-{i}.o") for i in range(len(paths))]
            more = [flag.replace("@", source) for flag in flags]
            list(pool.map(lambda both, more=more: run([os.path.join(path, "bin/musl-gcc"), *SIZE, *WIDE, *more, "-c", "-o", both[1], both[0]], work, os.environ),
                          zip(paths, objects)))
            run([one.tool("ar"), "rcs", os.path.join(path, "lib", f"{name}.a"), *objects], work, os.environ)
    shutil.rmtree(work)
    with open(os.path.join(path, "complete"), "w", encoding="ascii"):
        pass
