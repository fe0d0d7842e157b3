/* SPDX-License-Identifier: Apache-2.0 */
/* Reported objects of a kind, with versions. It alone decides that one is gone: after DELETED of a real API server, or
 * by a complete list that is certainly the API server's and not older than earlier answers. resourceVersions are
 * numbers (0: unknown); others are not compared. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/strmap.h"

/* For a node; for a fleet's client. Above half, a ledger forgets declined objects that do not matter. */
enum { HF_LEDGER_MAX_OBJECTS = 20000, HF_LEDGER_FLEET_OBJECTS = 250000 };

enum hf_ledger_change {
    HF_LEDGER_UPSERT,
    HF_LEDGER_GONE,
    HF_LEDGER_NOTHING, /* reported before */
    HF_LEDGER_OLD,     /* ignore it */
    HF_LEDGER_GHOST,   /* only in the MetaServer: ignore it */
    HF_LEDGER_UNSURE,  /* maybe the MetaServer's store: list from the cloud */
};

struct hf_ledger {
    struct hf_strmap objects; /* to struct ledger_entry */
    /* MetaServer: version of the cloud's last LIST, or the resume */
    uint64_t baseline;
    uint64_t highest; /* of the server's versions, or the resume */
    size_t max_objects;
    bool ending;    /* hf_ledger_end(): hf_ledger_decline() removes nothing */
    unsigned round; /* number of the last */
};

void hf_ledger_init(struct hf_ledger *ledger, size_t max_objects);
void hf_ledger_done(struct hf_ledger *ledger);

/* The subscriber has it in an unknown version. -E2BIG. */
HF_MUST_USE int hf_ledger_know(struct hf_ledger *ledger, const char *name);

/* The subscriber has this version: it is reported once more, but not older events that a watch replays. */
void hf_ledger_hold(struct hf_ledger *ledger, const char *name, uint64_t version);

uint64_t hf_ledger_version(const struct hf_ledger *ledger, const char *name);

/* The next list reports it whatever its version. Unless it `matters`, a ledger above half forgets it. */
void hf_ledger_decline(struct hf_ledger *ledger, const char *name, bool matters);

/* An event of a real API server. After -ENOMEM or -E2BIG unchanged. */
HF_MUST_USE int hf_ledger_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted,
                                enum hf_ledger_change *ret_change);

/* Unparsable: the round does not miss it. False: a newer version was reported. */
bool hf_ledger_unreadable(struct hf_ledger *ledger, const char *name, uint64_t version);

/* A MetaServer's event. `live`: from the cloud just now, with contact and after the replay of the store. */
HF_MUST_USE int hf_ledger_meta_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted,
                                     bool live, enum hf_ledger_change *ret_change);

/* A round compares a complete list: begin; item for each (UPSERT, NOTHING, OLD); end, with the list's version, passes
 * to `gone` what the list lacks and is not newer, and forgets it (`gone` NULL: the list may be wrong, nothing is
 * forgotten). */
void hf_ledger_begin(struct hf_ledger *ledger);
HF_MUST_USE int hf_ledger_item(struct hf_ledger *ledger, const char *name, uint64_t version,
                               enum hf_ledger_change *ret_change);
void hf_ledger_end(struct hf_ledger *ledger, uint64_t version, void (*gone)(void *arg, const char *name), void *arg);

/* After a restore lower versions are valid from `version` on. */
void hf_ledger_rewind(struct hf_ledger *ledger, uint64_t version);

/* After a restore all objects are reported once more. */
void hf_ledger_renew(struct hf_ledger *ledger);
