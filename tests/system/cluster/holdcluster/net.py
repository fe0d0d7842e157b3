# SPDX-License-Identifier: Apache-2.0
"""The network of a cluster: one namespace for the control plane, one per node, a veth pair from it to each node.

In the control plane's namespace a node's link is called n<number>, in the node's own it is eth0.
"""

import os

from . import place
from .process import run


def _ip(netns, *words, check=True):
    return run(["ip", "-n", netns, *words], check=check)


def exists(netns):
    return os.path.exists(f"/run/netns/{netns}")


def make_plane(where):
    """The control plane's namespace, which also passes packets on between the nodes."""
    netns = where.plane_netns
    if exists(netns):
        return
    run(["ip", "netns", "add", netns])
    _ip(netns, "link", "set", "lo", "up")
    for address in (place.API_IP, place.SERVICE_IP):
        _ip(netns, "addr", "add", f"{address}/32", "dev", "lo")
    run(["nsenter", f"--net=/run/netns/{netns}", "--", "sysctl", "-qw", "net.ipv4.ip_forward=1"])


def make_node(where, name, number):
    """A node's namespace and its link; nothing happens if both are there."""
    netns = where.netns(name)
    if exists(netns):
        return
    run(["ip", "netns", "add", netns])
    run(["ip", "link", "add", "eth0", "netns", netns, "type", "veth", "peer", "name", f"n{number}", "netns", where.plane_netns])
    _ip(where.plane_netns, "addr", "add", f"{place.gateway_ip(number)}/24", "dev", f"n{number}")
    _ip(netns, "link", "set", "lo", "up")
    _ip(netns, "addr", "add", f"{place.node_ip(number)}/24", "dev", "eth0")
    _ip(netns, "link", "set", "eth0", "up")
    set_link(where, number, True)
    _ip(netns, "route", "add", "default", "via", place.gateway_ip(number))


def set_link(where, number, up):
    """Cut or heal a node's link, as one who pulls the plug: the node sees that it has no carrier."""
    _ip(where.plane_netns, "link", "set", f"n{number}", "up" if up else "down")
    if up:                                     # the kernel forgot this route when the link went down
        _ip(where.plane_netns, "route", "replace", place.pod_net(number), "via", place.node_ip(number), "dev", f"n{number}", "onlink")


def set_silence(where, number, silent):
    """Lose every packet of a node's link in both directions, or none: the node sees a link that works and nobody there."""
    iptables = ["nsenter", f"--net=/run/netns/{where.plane_netns}", "--", "iptables", "-w"]
    for rule in (["INPUT", "-i", f"n{number}"], ["OUTPUT", "-o", f"n{number}"],
                 ["FORWARD", "-i", f"n{number}"], ["FORWARD", "-o", f"n{number}"]):
        run(iptables + ["-D", *rule, "-j", "DROP"], check=False)
        if silent:
            run(iptables + ["-I", *rule, "-j", "DROP"])


def link_state(where, number):
    """up, cut or silent."""
    if "state DOWN" in _ip(where.plane_netns, "-o", "link", "show", f"n{number}", check=False):
        return "cut"
    rules = run(["nsenter", f"--net=/run/netns/{where.plane_netns}", "--", "iptables", "-w", "-S", "INPUT"], check=False)
    return "silent" if f"-i n{number} -j DROP" in rules else "up"


def remove_node(where, name):
    if exists(where.netns(name)):
        run(["ip", "netns", "del", where.netns(name)])


def remove_all(where):
    """Remove every namespace of this cluster; its links go with them."""
    for entry in os.listdir("/run/netns") if os.path.isdir("/run/netns") else []:
        if entry.startswith(where.prefix):
            run(["ip", "netns", "del", entry])
