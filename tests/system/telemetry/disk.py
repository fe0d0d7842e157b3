# SPDX-License-Identifier: Apache-2.0
"""A disk that remembers every write and every flush, and can be what it would be had the power gone at any of them.

It is one file of a FUSE file system (the protocol of /dev/fuse is spoken here, nothing is installed for it) with a loop device and ext4
on top. Root and /dev/fuse are needed. A cut at entry N keeps all that was flushed before N, and of what was written after the last flush
each 512-byte sector with the chance `luck`: 0 none, 1 all, between torn and out of order. Marks stand between the writes, so what
had been promised before a cut is known from the same log."""
import ctypes
import os
import shutil
import struct
import subprocess
import threading

SECTOR = 512
IN_HEADER = struct.Struct("<IIQQIIII")
ATTR = struct.Struct("<QQQQQQIIIIIIIIII")
LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE, FSYNC, FLUSH, INIT = 1, 2, 3, 4, 14, 15, 16, 17, 18, 20, 25, 26
DESTROY, BATCH_FORGET, INTERRUPT = 38, 42, 36
ENOENT, ENOSYS = 2, 38
MAX_WRITE = 131072

libc = ctypes.CDLL(None, use_errno=True)


def missing():
    """The reason why this cannot run here, or None."""
    if os.geteuid() != 0:
        return "root is needed"
    for path in ("/dev/fuse", "/dev/loop-control"):
        if not os.path.exists(path):
            return f"{path} is not there"
    for tool in ("mkfs.ext4", "losetup", "mount", "umount"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    return None


def own_mounts():
    """Gives this process and its children a mount namespace of their own. Otherwise a container that starts meanwhile would keep a copy of a
    mount, and write to the image after the next one replaced it."""
    if os.geteuid() == 0 and libc.unshare(0x00020000) == 0:  # CLONE_NEWNS
        libc.mount(b"none", b"/", None, 0x44000, None)  # MS_REC | MS_PRIVATE


def run(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout.strip()


def attach(file):
    """A loop device that takes flushes: the kernel gives a device with the settings that its last user left."""
    loop = run("losetup", "-f", "--show", file)
    cache = f"/sys/block/{os.path.basename(loop)}/queue/write_cache"
    with open(cache, encoding="ascii") as setting:
        flushes = setting.read().strip() == "write back"
    if not flushes:
        with open(cache, "w", encoding="ascii") as setting:
            setting.write("write back")
    return loop


class Disk:
    def __init__(self, home, mib):
        self.size, self.content, self.log, self.lock = mib << 20, bytearray(mib << 20), [], threading.Lock()
        self.folder, self.mountpoint = os.path.join(home, "fuse"), os.path.join(home, "disk")
        self.loop = None
        for folder in (self.folder, self.mountpoint):
            os.makedirs(folder, exist_ok=True)
        self.fd = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self.fd},rootmode=40000,user_id=0,group_id=0,max_read={MAX_WRITE}"
        if libc.mount(b"holdfast-disk", self.folder.encode(), b"fuse", 6, options.encode()) != 0:
            raise OSError(ctypes.get_errno(), "mount fuse")
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        try:
            self.loop = attach(os.path.join(self.folder, "disk"))
            run("mkfs.ext4", "-q", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", self.loop)
            run("mount", "-o", "nodiscard", self.loop, self.mountpoint)
        except subprocess.CalledProcessError as error:
            self.end()
            raise OSError(error.output) from error

    def mark(self, what):
        with self.lock:
            self.log.append(("m", what))

    def end(self):
        """Unmounts cleanly; the log stays."""
        if os.path.ismount(self.mountpoint):
            run("umount", self.mountpoint)
        if self.loop:
            run("losetup", "-d", self.loop)
        libc.umount2(self.folder.encode(), 2)
        self.thread.join(5)
        os.close(self.fd)

    # ---- the protocol -----------------------------------------------------------------------------------------------------

    def attr(self, node):
        if node == 1:
            return ATTR.pack(1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)
        return ATTR.pack(2, self.size, self.size // 512, 0, 0, 0, 0, 0, 0, 0o100600, 1, 0, 0, 0, 4096, 0)

    def serve(self):
        while True:
            try:
                request = os.read(self.fd, MAX_WRITE + 4096)
            except OSError as error:
                if error.errno == 4:
                    continue
                return  # unmounted
            _, opcode, unique, node, *_ = IN_HEADER.unpack_from(request)
            answer = self.handle(opcode, node, request[IN_HEADER.size:])
            if answer is None:
                continue
            error, body = answer
            try:
                os.write(self.fd, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)
            except OSError:
                pass  # interrupted meanwhile

    def handle(self, opcode, node, body):
        if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
            return None
        if opcode == INIT:
            return 0, struct.pack("<IIIIHHIIHHI", 7, 31, 0, 1 << 5, 16, 12, MAX_WRITE, 1, 32, 0, 0) + bytes(28)
        if opcode == LOOKUP:
            if body.rstrip(b"\0") != b"disk":
                return ENOENT, b""
            return 0, struct.pack("<QQQQII", 2, 0, 3600, 3600, 0, 0) + self.attr(2)
        if opcode in (GETATTR, SETATTR):
            return 0, struct.pack("<QII", 3600, 0, 0) + self.attr(node)
        if opcode == OPEN:
            return 0, struct.pack("<QII", 1, 0, 0)
        if opcode == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            return 0, bytes(self.content[offset:offset + size])
        if opcode == WRITE:
            _, offset, size = struct.unpack_from("<QQI", body)
            data = body[40:40 + size]
            with self.lock:
                self.content[offset:offset + size] = data
                self.log.append(("w", offset, data))
            return 0, struct.pack("<II", size, 0)
        if opcode in (FSYNC, FLUSH):
            with self.lock:
                self.log.append(("f",))
            return 0, b""
        if opcode == STATFS:
            return 0, struct.pack("<QQQQQIIII", 1 << 20, 0, 0, 2, 0, 4096, 255, 4096, 0) + bytes(24)
        if opcode in (RELEASE, DESTROY):
            return 0, b""
        return ENOSYS, b""


class Replay:
    """Images of power cuts, in ascending order of their position in the log."""

    def __init__(self, log, size):
        self.log, self.base, self.flushed = log, bytearray(size), 0  # base: all writes before entry `flushed`

    def cut(self, at, luck, rng, path):
        """Writes the image of a power cut just before entry `at`."""
        last = next((i for i in range(at - 1, self.flushed - 1, -1) if self.log[i][0] == "f"), None)
        if last is not None:
            for entry in self.log[self.flushed:last]:
                if entry[0] == "w":
                    self.base[entry[1]:entry[1] + len(entry[2])] = entry[2]
            self.flushed = last
        image = bytearray(self.base)
        for entry in self.log[self.flushed:at]:
            if entry[0] != "w":
                continue
            for i in range(0, len(entry[2]), SECTOR):
                if luck >= 1 or rng.random() < luck:
                    image[entry[1] + i:entry[1] + i + SECTOR] = entry[2][i:i + SECTOR]
        with open(path, "wb") as file:
            file.write(image)
        return [entry[1] for entry in self.log[:at] if entry[0] == "m"]


class Mounted:
    """Mounts an image; the file system replays its journal as after a boot."""

    def __init__(self, image, mountpoint):
        os.makedirs(mountpoint, exist_ok=True)
        self.mountpoint = mountpoint
        self.loop = attach(image)
        try:
            run("mount", "-o", "nodiscard", self.loop, mountpoint)
        except subprocess.CalledProcessError as error:
            run("losetup", "-d", self.loop)
            raise OSError(f"mount of a cut image: {error.output}") from error

    def end(self):
        run("umount", self.mountpoint)
        run("losetup", "-d", self.loop)
