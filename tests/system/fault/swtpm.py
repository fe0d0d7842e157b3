# SPDX-License-Identifier: Apache-2.0
"""A TPM 2 in software (swtpm) for tests."""
import glob
import itertools
import os
import socket
import struct
import subprocess
import tempfile

from lab import die_with_parent, wait

PASSWORD_AUTH = struct.pack(">IIHBH", 9, 0x40000009, 0, 0, 0)  # an empty password
OWNER, PLATFORM, SHA256 = 0x40000001, 0x4000000C, 0xB
CREATE_PRIMARY, OBJECT_MEMORY = 0x131, 0x902
EXTEND, CLEAR, CHANGE_AUTH, DEFINE, UNDEFINE = 0x182, 0x126, 0x129, 0x12A, 0x122
GET_CAPABILITY, FLUSH_CONTEXT, CAP_HANDLES, TRANSIENT_FIRST = 0x17A, 0x165, 1, 0x80000000
NV_READ, NO_SUCH_INDEX, NEVER_WRITTEN = 0x14E, 0x18B, 0x14A
NUMBERS = itertools.count()
NO_SESSIONS, SESSIONS = 0x8001, 0x8002


class Tpm:
    """A TPM in software, which keeps its seeds in a folder."""

    def __init__(self, folder):
        self.folder, self.process = folder, None
        self.socket = os.path.join(tempfile.gettempdir(), f"hf-tpm-{os.getpid()}-{next(NUMBERS)}")
        os.makedirs(folder, exist_ok=True)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}", "--server", f"type=unixio,path={self.socket}", "--ctrl",
             f"type=unixio,path={self.socket}.ctrl", "--flags", "not-need-init,startup-clear"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
        wait("the TPM listens", lambda: os.path.exists(self.socket) and os.path.exists(self.socket + ".ctrl"), 60)

    def stop(self):
        self.process.kill()
        self.process.wait()
        for path in (self.socket, self.socket + ".ctrl"):
            if os.path.exists(path):
                os.unlink(path)

    def tcti(self):
        return f"swtpm:path={self.socket}"

    def command(self, code, body, tag=SESSIONS):
        """The answer's body."""
        rc, answer = self.exchange(code, body, tag)
        assert rc == 0, hex(rc)
        return answer

    def is_used(self):
        """Whether a process has this TPM on its command line: a program outlives the agent that started it and was killed."""
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as file:
                    if self.tcti().encode() in file.read().split(b"\0"):
                        return True
            except OSError:
                continue  # it has just ended
        return False

    def forget_dead_user(self):
        """What the kernel does at /dev/tpmrm0 when a process dies: the objects that it has loaded go."""
        wait("the end of the TPM's user", lambda: not self.is_used(), 60)
        answer = self.command(GET_CAPABILITY, struct.pack(">III", CAP_HANDLES, TRANSIENT_FIRST, 16), NO_SESSIONS)
        for handle in struct.unpack(f">{struct.unpack('>I', answer[5:9])[0]}I", answer[9:]):
            self.command(FLUSH_CONTEXT, struct.pack(">I", handle), NO_SESSIONS)

    def load_objects(self):
        """Take each of its places for objects, as programs do that use /dev/tpm0 and end without a word."""
        # A storage key: ECC P-256, AES-128 in CFB mode, restricted to decryption, without a password.
        public = struct.pack(">HHIHHHHHHHHH", 0x23, SHA256, 0x30472, 0, 6, 128, 0x43, 0x10, 3, 0x10, 0, 0)
        body = PASSWORD_AUTH + struct.pack(">HHHH", 4, 0, 0, len(public)) + public + struct.pack(">HI", 0, 0)
        rc = 0
        for _ in range(64):
            rc = rc or self.answer(CREATE_PRIMARY, struct.pack(">I", OWNER) + body)
        assert rc == OBJECT_MEMORY, hex(rc)

    def extend(self, pcr):
        self.command(EXTEND, struct.pack(">I", pcr) + PASSWORD_AUTH + struct.pack(">IH", 1, SHA256) + b"\x55" * 32)

    def clear(self):
        self.command(CLEAR, struct.pack(">I", PLATFORM) + PASSWORD_AUTH)

    def exchange(self, code, body, tag=SESSIONS):
        """The response code and the answer's body."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(self.socket)
            line.sendall(struct.pack(">HII", tag, 10 + len(body), code) + body)
            answer = line.recv(4096)
        return struct.unpack(">I", answer[6:10])[0], answer[10:]

    def answer(self, code, body):
        """The response code."""
        return self.exchange(code, body)[0]

    def counter(self, number):
        """The value of an NV counter without a password; None if there is none, or if nobody has incremented it."""
        rc, answer = self.exchange(NV_READ, struct.pack(">II", number, number) + PASSWORD_AUTH + struct.pack(">HH", 8, 0))
        assert rc in (0, NO_SUCH_INDEX, NEVER_WRITTEN), hex(rc)
        return struct.unpack(">Q", answer[6:14])[0] if rc == 0 else None

    def set_owner_password(self, text, before=b""):
        auth = struct.pack(">IIHBH", 9 + len(before), 0x40000009, 0, 0, len(before)) + before
        self.command(CHANGE_AUTH, struct.pack(">I", OWNER) + auth + struct.pack(">H", len(text)) + text)

    def fill(self):
        """Make NV indices until there is no room, also not in what a TPM reserves for counters; returns their numbers."""
        made = []
        for attributes, size in ((0x02040004, 1024), (0x02040004, 64), (0x02040014, 8)):  # the last are counters
            rc = 0
            while rc == 0:
                number = 0x01B00000 + len(made)
                public = struct.pack(">IHIHH", number, SHA256, attributes, 0, size)
                rc = self.answer(DEFINE, struct.pack(">I", OWNER) + PASSWORD_AUTH + struct.pack(">HH", 0, len(public)) + public)
                made += [number] if rc == 0 else []
        return made

    def empty(self, made):
        for number in made:
            self.command(UNDEFINE, struct.pack(">II", OWNER, number) + PASSWORD_AUTH)
