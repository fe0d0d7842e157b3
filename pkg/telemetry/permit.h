/* telemetry/permit.h - takes out of a policy's telemetry what the node's configuration does not allow. Pure, but for
 * the question whether a host is this node.
 *
 * Each refusal costs one source, one entry of a source's list, or one sink; everything else continues. Threads: any. */
#pragma once

#include "api/telemetry.h"
#include "base/err.h"
#include "config/config.h"

struct hf_permit {
    const struct hf_config *config; /* NULL: the defaults */
    enum hf_config_scope scope;
    bool (*is_own_url)(const char *url); /* true if the host of the URL is an address of this node */
    /* Called for each refusal. `field` is the field below spec.telemetry, such as "sources.files[2].path"; `err` says
     * what is refused and which line of the configuration would allow it. */
    void (*refused)(void *arg, const char *field, const struct hf_err *err);
    void *arg;
};

/* Moves refused entries of files, scrapes and sinks behind the others and lowers the counts of these lists; turns the
 * socket or the broker off; lowers buffer_max_bytes. `single`: the policy has the field `sink`, not `sinks`. The lists
 * belong to the decoded policy, which frees them by its own counts. */
void hf_telemetry_permit(struct hf_telemetry *spec, bool single, const struct hf_permit *permit);
