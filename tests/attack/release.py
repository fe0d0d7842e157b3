"""Attacks through releases: what runs without a signature, or after a change of what was signed."""
import os

from lab import wait
from node import Artifacts, Node, sha256


def attack_unsigned_change(home):
    """Change an artifact hash in a signed release: the node keeps its version and reports SignatureInvalid."""
    server = Artifacts()
    node = Node(os.path.join(home, "node"), server)
    try:
        old, new = node.build("1.0", 1), node.build("2.0", 2)
        with open(old, "rb") as source, open(node.path, "wb") as target:
            target.write(source.read())
        before = sha256(node.path)
        text = node.create("app", "2.0", 2, new, service=False)
        assert sha256(new) in text, "the test expects the hash of the artifact in the object"
        node.apply("app", text.replace(sha256(new), before))
        node.start_agent()
        row = wait("a verdict", lambda: node.update("app") if node.update("app").get("phase") == "Rejected" else None, 60)
        assert "SignatureInvalid" in str(row), row
        assert sha256(node.path) == before
    finally:
        node.end()
