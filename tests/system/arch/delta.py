#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Apply deltas on other processors: the same bytes on 32 and 64 bits, little and big endian.

holdfast-delta is built, static, for ARM (32 bits), AArch64, s390x (64 bits, big endian) and RISC-V (64 bits), with the decoders of libzstd
and liblzma built from Debian's own sources, and run under qemu-user. Deltas are made here by the release build: both profiles
and a file packed on its own, over programs for x86-64, AArch64, RISC-V, ARM and 32-bit x86, text, and a tar.
Ends with the plain line "N passed, N failed, N skipped".
"""
import filecmp
import glob
import gzip
import io
import os
import platform
import random
import shutil
import subprocess
import sys
import tarfile

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", ".."))
sys.path.insert(0, os.path.join(TOP, "deploy", "image"))
sys.dont_write_bytecode = True

from holdimage import apt  # noqa: E402
from holdimage.machine import Error  # noqa: E402

WORK = os.path.join(TOP, "build", "arch")
RELEASE = os.path.join(TOP, "build", "release")
MACHINES = {"armv7": ("arm-linux-gnueabihf-gcc", "qemu-arm"), "aarch64": ("aarch64-linux-gnu-gcc", "qemu-aarch64"),
            "s390x": ("s390x-linux-gnu-gcc", "qemu-s390x"),
            "riscv64": ("riscv64-linux-gnu-gcc", "qemu-riscv64")}
OURS = ["pkg/codec/sha256.c", "pkg/os/dir.c", "pkg/os/fd.c", "pkg/os/file.c", "pkg/os/fs_posix.c", "pkg/cli/io.c",
        "pkg/cli/plain.c", "pkg/cli/delta/patch.c", "pkg/cli/run.c", "pkg/cli/small.c", "cmd/holdfast-delta/main.c"]
PACK = ["deep/deep_apply", "deep/recipe", "deep/scratch", "codec/codec", "codec/stage"]
ZSTD = ["common/*.c", "decompress/*.c"]
LZMA = ["common/common.c", "common/filter_common.c", "common/filter_decoder.c", "common/vli_decoder.c", "lzma/lzma_decoder.c",
        "lzma/lzma2_decoder.c", "lz/lz_decoder.c"]
LZMA_HAS = ["STDINT_H", "INTTYPES_H", "STDBOOL_H", "LIMITS_H", "STRING_H", "DECODERS", "DECODER_LZMA1", "DECODER_LZMA2", "VISIBILITY=0"]
REFUSED = 3  # exit code of holdfast(1): the old file is another one


class Skip(Exception):
    pass


def call(argv, **more):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)[:200]}: {done.stdout.decode(errors='replace')[-1500:]}")


# ---- the libraries' sources ------------------------------------------------------------------------------------------------


def sources():
    """Folders of libzstd's and liblzma's sources, as their authors published them: those of the release, for Debian's updates only add patches,
    and a mirror may not have the newest of them."""
    folder = os.path.join(WORK, "src")
    found = glob.glob(f"{folder}/zstd-*/lib") + glob.glob(f"{folder}/xz-*/src/liblzma")
    if len(found) != 2:
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        wrong = None
        try:
            root = apt.Root(os.path.join(WORK, "apt"), sources=True)
            wrong = root.update()
            release = platform.freedesktop_os_release()["VERSION_CODENAME"]
            root.run("source", "--download-only", "--tar-only", f"libzstd/{release}", f"xz-utils/{release}", cwd=folder)
        except (Error, OSError, KeyError) as error:
            raise Skip(f"apt gives no source of libzstd and xz-utils: {wrong or error}") from error
        for archive in glob.glob(f"{folder}/*.orig.tar.*"):
            if not archive.endswith(".asc"):
                call(["tar", "-xf", archive, "-C", folder])
        found = glob.glob(f"{folder}/zstd-*/lib") + glob.glob(f"{folder}/xz-*/src/liblzma")
    if len(found) != 2:
        raise RuntimeError(f"the sources of libzstd and liblzma are not where they are expected: {found}")
    return found


# ---- one machine's decoder -------------------------------------------------------------------------------------------------


def build(machine, compiler, zstd, lzma):
    folder = os.path.join(WORK, machine)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    small = ["-O2", "-ffunction-sections", "-fdata-sections", "-c"]
    ours = [os.path.join(TOP, name) for name in OURS] + sorted(glob.glob(f"{TOP}/pkg/delta/**/*.c", recursive=True))
    ours += sorted(glob.glob(f"{TOP}/pkg/base/**/*.c", recursive=True)) + [f"{TOP}/pkg/pack/{name}.c" for name in PACK] + sorted(glob.glob(f"{TOP}/pkg/pack/deflate/*.c"))
    jobs = [(source, ["-std=gnu17", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", '-DHF_VERSION="arch"', f"-I{TOP}/pkg", "-include",
                      "base/banned.h", f"-I{zstd}", f"-I{lzma}/api", "-Wall", "-Wextra", "-Werror"]) for source in ours]
    jobs += [(source, ["-w", "-DZSTD_DISABLE_ASM", "-DZSTD_LEGACY_SUPPORT=0"]) for name in ZSTD for source in sorted(glob.glob(f"{zstd}/{name}"))]
    jobs += [(f"{lzma}/{name}", ["-std=gnu17", "-w", "-DASSUME_RAM=128"] + [f"-DHAVE_{has}" for has in LZMA_HAS] +
              [f"-I{lzma}/{part}" for part in ("api", "common", "check", "lz", "rangecoder", "lzma", "delta", "simple", "../common")])
             for name in LZMA]
    objects = []
    for i, (source, flags) in enumerate(jobs):
        objects.append(os.path.join(folder, f"{i}.o"))
        call([compiler] + flags + small + ["-o", objects[-1], source])
    archive, program = os.path.join(folder, "all.a"), os.path.join(folder, "holdfast-delta")
    main = objects.pop(len(OURS) - 1)
    call(["ar", "rcs", archive] + objects)
    call([compiler, "-static", "-Wl,--gc-sections", "-o", program, main, archive])
    return program


# ---- what is applied -------------------------------------------------------------------------------------------------------


def words(seed, n, change):
    """Text whose every `change`-th word is another one (0: none)."""
    draw, other = random.Random(seed), random.Random(seed + 1)
    out = []
    for i in range(n):
        word = f"{draw.choice('the a of to and in node edge state file'.split())}{draw.randrange(300)}"
        out.append(f"new{other.randrange(10**6)}" if change and i % change == 0 else word)
    return " ".join(out).encode()


def tar(change):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for i in range(40):
            content = words(i, 2000, change if i % 5 == 0 else 0)
            head = tarfile.TarInfo(f"folder/{i}")
            head.size, head.mtime = len(content), 1700000000 + (i if change else 0)
            archive.addfile(head, io.BytesIO(content))
    return out.getvalue()


def pairs():
    """Name -> (path of old, path of new)."""
    folder = os.path.join(WORK, "pairs")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    made = {"text": (words(1, 60000, 0), words(1, 60000, 70)), "tar": (tar(0), tar(60)),
            "unlike": (words(2, 1000, 0), 2 * random.Random(3).randbytes(600000))}
    made["gzip"] = tuple(gzip.compress(content, mtime=0) for content in made["text"])
    for name, both in made.items():
        for version, content in zip(("old", "new"), both):
            with open(f"{folder}/{name}.{version}", "wb") as out:
                out.write(content)
    for kind in ("x86-64", "aarch64", "riscv64", "arm", "i386"):
        call([f"{RELEASE}/support/elf-write", kind, f"{folder}/{kind}.old", f"{folder}/{kind}.new"])
    shutil.copy(f"{RELEASE}/holdfast-delta", f"{folder}/program.old")
    shutil.copy(f"{RELEASE}/holdfast", f"{folder}/program.new")
    return {os.path.basename(old)[:-4]: (old, old[:-4] + ".new") for old in sorted(glob.glob(f"{folder}/*.old"))}


def apply(runner, program, old, patch, new):
    done = subprocess.run([runner, program, old, patch, new], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def check(runner, program, old, new, patch, wrong_old):
    """What is wrong, or None."""
    target = patch + ".made"
    if os.path.exists(target):
        os.unlink(target)
    code, said = apply(runner, program, old, patch, target)
    if code != 0 or not filecmp.cmp(target, new, shallow=False):
        return f"exit code {code}: {said or 'other bytes'}"
    os.unlink(target)
    code, said = apply(runner, program, wrong_old, patch, target)
    if code != REFUSED or os.path.exists(target):
        return f"over another old file: exit code {code}: {said}"
    return None


def main():
    passed = failed = skipped = 0
    os.makedirs(WORK, exist_ok=True)
    patches, files = [], pairs()
    for name, (old, new) in files.items():
        for profile in ("small", "fast"):
            method = ("inside" if name == "gzip" else "whole-lzma" if name == "unlike" else
                      "records-cm" if profile == "small" else "records-zstd")
            patch = os.path.join(WORK, "pairs", f"{name}.{profile}")
            how = ["--plain"] if name != "gzip" else ["--inside"] if profile == "fast" else []
            call([f"{RELEASE}/holdfast", "delta", "create", f"--{profile}"] + how + [old, new, patch])
            said = subprocess.run([f"{RELEASE}/holdfast", "delta", "info", patch], stdout=subprocess.PIPE, check=True).stdout
            if f"method {method},".encode() not in said:
                failed += 1
                print(f"  FAIL  {name}: {method} was expected: {said.decode()}")
            patches.append((f"{name} {profile}", old, new, patch))
    for machine, (compiler, runner) in MACHINES.items():
        missing = [tool for tool in (compiler, runner) if shutil.which(tool) is None]
        try:
            if missing:
                raise Skip(f"{' and '.join(missing)} not installed (hack/setup.sh arch)")
            program = build(machine, compiler, *sources())
        except Skip as reason:
            skipped += 1
            print(f"SKIP: {machine}: {reason}", flush=True)
            continue
        for name, old, new, patch in patches:
            wrong = check(runner, program, old, new, patch, files["text" if "text" not in name else "tar"][0])
            passed, failed = passed + (wrong is None), failed + (wrong is not None)
            if wrong is not None:
                print(f"  FAIL  {machine}: {name}: {wrong}")
        print(f"  {machine}: {len(patches)} deltas applied under {runner}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
