/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/permit.h - removes from a policy's telemetry settings everything that the node's configuration does not
 * allow. Pure, except that is_own_url() may ask the kernel for the addresses of this node.
 *
 * Each refusal removes one source, one entry of a source's list, or one sink, or lowers the limit of the buffer. The
 * other parts of the policy stay in effect. Threads: any. */
#pragma once

#include "api/telemetry.h"
#include "base/err.h"
#include "config/config.h"

struct hf_permit {
    const struct hf_config *config;      /* NULL means the defaults */
    enum hf_config_scope scope;          /* whether the policy is signed; a signed policy may do more */
    bool (*is_own_url)(const char *url); /* true if the host of the URL is an address of this node */
    /* Called for each refusal. `field` is the field below spec.telemetry, such as "sources.files[2].path"; `err` says
     * what is refused and which line of the configuration would allow it. */
    void (*refused)(void *arg, const char *field, const struct hf_err *err);
    /* Called by hf_telemetry_permit_scrapes_again() for each target that is allowed by now, with the `err` with which
     * the target was refused. May be NULL otherwise. */
    void (*granted)(void *arg, const struct hf_err *err);
    void *arg;
};

/* Removes from *spec what the configuration does not allow. In the lists of files, scrapes and sinks, moves the refused
 * entries to the end and lowers the count of the list. Turns off a refused socket or MQTT broker. Lowers
 * buffer_max_bytes to the limit of the configuration. `single` is true if the policy has the field `sink` and not
 * `sinks`. *spec is a shallow copy of the settings in a decoded policy. The policy owns the lists and keeps its own
 * counts, so it still frees the refused entries. */
void hf_telemetry_permit(struct hf_telemetry *spec, bool single, const struct hf_permit *permit);

/* Checks the refused scrape targets again, because the node may have got the address of one of them since, such as by
 * DHCP. `all` is the number of targets in the policy. Puts those that are allowed back into the list, behind the
 * others, and raises its count. Returns how many. */
size_t hf_telemetry_permit_scrapes_again(struct hf_telemetry_sources *sources, size_t all,
                                         const struct hf_permit *permit);
