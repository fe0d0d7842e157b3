# SPDX-License-Identifier: Apache-2.0
"""What a node's agent asked the API server for, by the server's audit log."""

from . import world

FOLLOWED = ("edgeupdates", "syncpolicies")


def asked(node, since, verbs):
    """The requests of the node's agent with one of these verbs from the audit event number `since` on."""
    number = world.cluster.where.nodes()[node]
    return [event for event in world.cluster.audit()[since:]
            if event.get("userAgent", "").startswith("holdfast-agent/") and event["verb"] in verbs and "objectRef" in event
            and (event.get("sourceIPs") or [""])[0].startswith(f"10.213.{number}.")]


def _watches(node, since, kinds):
    """Where it asked for watches of these kinds that the server began to answer; a watch that began before is told once more at its end."""
    return [event["requestURI"] for event in asked(node, since, ("watch",))
            if event["stage"] == "ResponseStarted" and event["objectRef"]["resource"] in kinds]


def lists(node, since, kinds=FOLLOWED):
    """Lists of these kinds that it asked for, also as a watch that begins with all objects. With one object at most, it is a knock at a
    server that was away."""
    return [event["requestURI"] for event in asked(node, since, ("list",))
            if event["objectRef"]["resource"] in kinds and not event["requestURI"].endswith("?limit=1")] + [
        uri for uri in _watches(node, since, kinds) if "sendInitialEvents=true" in uri]


def resumed(node, since, kinds=FOLLOWED):
    """Of which of these kinds it went on with a watch from a resourceVersion on."""
    uris = [uri for uri in _watches(node, since, kinds) if "sendInitialEvents=true" not in uri and "resourceVersion=" in uri]
    return sorted(kind for kind in kinds if any(f"/{kind}?" in uri for uri in uris))


def writes(node, since, resource, subresource=None):
    """How often it wrote such objects, as the server took it."""
    return len([event for event in asked(node, since, ("create", "patch", "update"))
                if (event["objectRef"]["resource"], event["objectRef"].get("subresource")) == (resource, subresource)
                and 200 <= event.get("responseStatus", {}).get("code", 0) < 300])
