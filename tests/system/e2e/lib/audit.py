# SPDX-License-Identifier: Apache-2.0
"""What a node's agent asked the API server for, by the server's audit log."""

import datetime

from . import world

FOLLOWED = ("edgeupdates", "syncpolicies")
REFUSED_S = 1                                  # a watch that goes on lasts for minutes


def asked(node, since, verbs):
    """The requests of the node's agent with one of these verbs from the audit event number `since` on."""
    number = world.cluster.where.nodes()[node]
    return [event for event in world.cluster.audit()[since:]
            if event.get("userAgent", "").startswith("holdfast-agent/") and event["verb"] in verbs and "objectRef" in event
            and (event.get("sourceIPs") or [""])[0].startswith(f"10.213.{number}.")]


def _follows(event):
    """A watch from a resourceVersion on."""
    return event["verb"] == "watch" and "sendInitialEvents=true" not in event["requestURI"] and "resourceVersion=" in event["requestURI"]


def _is_list(event):
    """A list of all objects, also as a watch that begins with them, which the server tells once more at its end. With one object at most, it is a
    knock at a server that was away."""
    if event["verb"] == "list":
        return not event["requestURI"].endswith("?limit=1")
    return event["stage"] == "ResponseStarted" and "sendInitialEvents=true" in event["requestURI"]


def _kinds(node, since, kinds):
    return [event for event in asked(node, since, ("list", "watch")) if event["objectRef"]["resource"] in kinds]


def lists(node, since, kinds=FOLLOWED):
    """Lists of these kinds that it asked for."""
    return [event["requestURI"] for event in _kinds(node, since, kinds) if _is_list(event)]


def _is_refused(event):
    """The server ended the watch at once: it lacks what came after the resourceVersion, and says 410 in the stream."""
    begun, ended = (datetime.datetime.fromisoformat(event[name].replace("Z", "+00:00")) for name in ("requestReceivedTimestamp", "stageTimestamp"))
    return event["stage"] == "ResponseComplete" and _follows(event) and (ended - begun).total_seconds() < REFUSED_S


def needless(events):
    """Lists that nothing called for. An API server that has just started has no history: it refuses the first watch from a resourceVersion, and
    after that the agent may list each kind once, also those for which it did not ask then."""
    refused, listed, found = False, set(), []
    for event in events:
        kind = event["objectRef"]["resource"]
        refused = refused or _is_refused(event)
        if _is_list(event) and (not refused or kind in listed):
            found.append(event["requestURI"])
        elif _is_list(event):
            listed.add(kind)
    return found


def needless_lists(node, since, kinds=FOLLOWED):
    """needless() of these kinds."""
    return needless(_kinds(node, since, kinds))


def resumed(node, since, kinds=FOLLOWED):
    """Of which of these kinds it went on with a watch from a resourceVersion on."""
    uris = [event["requestURI"] for event in _kinds(node, since, kinds) if _follows(event) and event["stage"] == "ResponseStarted"]
    return sorted(kind for kind in kinds if any(f"/{kind}?" in uri for uri in uris))


def writes(node, since, resource, subresource=None):
    """How often it wrote such objects, as the server took it."""
    return len([event for event in asked(node, since, ("create", "patch", "update"))
                if (event["objectRef"]["resource"], event["objectRef"].get("subresource")) == (resource, subresource)
                and 200 <= event.get("responseStatus", {}).get("code", 0) < 300])
