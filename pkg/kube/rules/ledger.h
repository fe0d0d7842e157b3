/* SPDX-License-Identifier: Apache-2.0 */
/* kube/rules/ledger.h - the ledger of one kind, which records the objects that were reported to the subscriber, with
 * their versions. The ledger computes the next reports from an event or from a complete list. Private to pkg/kube.
 *
 * Only the ledger decides that an object is gone. An object is gone after a DELETED event of a real API server. An
 * object is also gone if a complete list does not contain it. For this, it must be certain that the list comes from the
 * API server, and the list must not be older than earlier answers. The ledger handles resourceVersions as numbers (0
 * means unknown). If a server's resourceVersions are not numbers, the ledger does not compare them.
 *
 * Pure. Memory: hf_ledger_done() frees the content of a ledger. Errors: functions return 0 or -errno. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/strmap.h"

/* Maximum number of objects in the ledger of a client that serves one node, and in the ledger of a client that follows
 * a fleet. While a ledger has at most half of its maximum, it also remembers declined objects that do not matter
 * (hf_ledger_decline()). So a watch event with the same or an older version of such an object causes no further report.
 * The other half is reserved for objects that the subscriber keeps. */
enum { HF_LEDGER_MAX_OBJECTS = 20000, HF_LEDGER_FLEET_OBJECTS = 250000 };

enum hf_ledger_change {
    HF_LEDGER_UPSERT,
    HF_LEDGER_GONE,
    /* make no report, because the subscriber already has this version, or already has the report that the object is
     * gone */
    HF_LEDGER_NOTHING,
    HF_LEDGER_OLD, /* ignore the event, because it is older than the reported version */
    /* ignore the event, because the cloud has deleted the object and only the MetaServer still has it */
    HF_LEDGER_GHOST,
    /* request a LIST that the cloud answers, because the event may come from the MetaServer's local store */
    HF_LEDGER_UNSURE,
};

struct hf_ledger {
    struct hf_strmap objects; /* maps the name of an object to its struct ledger_entry */
    /* behind a MetaServer, version of the latest LIST that the cloud answered; before it, the version from which the
     * subscription resumed (0 means none) */
    uint64_t baseline;
    /* highest version that the server sent, of an object, list or bookmark; at first the version from which the
     * subscription resumed */
    uint64_t highest;
    size_t max_objects;
    bool ending;    /* true inside hf_ledger_end(), where hf_ledger_decline() removes nothing */
    unsigned round; /* number of the last round, which hf_ledger_begin() starts; 0 means that none has begun */
};

void hf_ledger_init(struct hf_ledger *ledger, size_t max_objects);
void hf_ledger_done(struct hf_ledger *ledger);

/* Records that the subscriber already has this object, in an unknown version. Returns 0, -ENOMEM, or -E2BIG if there
 * are too many objects. */
HF_MUST_USE int hf_ledger_know(struct hf_ledger *ledger, const char *name);

/* Returns the version of the object that was last reported, or 0 if it is unknown. */
uint64_t hf_ledger_version(const struct hf_ledger *ledger, const char *name);

/* Records that the subscriber does not keep the object. The next round whose list has the object in the same version
 * then reports it once more, and the subscriber may decline it again. If `matters` is false and the ledger has more
 * than half of its maximum, the ledger forgets the object. */
void hf_ledger_decline(struct hf_ledger *ledger, const char *name, bool matters);

/* Handles an event of a real API server's watch. `deleted` is true for DELETED, and false for ADDED and MODIFIED. Sets
 * *ret_change to the report that the caller must make. After -ENOMEM or -E2BIG (too many objects) the ledger is
 * unchanged. */
HF_MUST_USE int hf_ledger_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted,
                                enum hf_ledger_change *ret_change);

/* Records that the source has this object, in a version that the client cannot parse. The round in progress then does
 * not count the object as gone. Returns false if the ledger has a newer version of the object; the caller must then
 * ignore the unreadable version. */
bool hf_ledger_unreadable(struct hf_ledger *ledger, const char *name, uint64_t version);

/* Handles an event of a MetaServer's watch, like hf_ledger_event(). Pass live = true if the cloud has just sent the
 * event. The caller assumes this if there is contact with the cloud and the stream no longer replays the MetaServer's
 * store. */
HF_MUST_USE int hf_ledger_meta_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted,
                                     bool live, enum hf_ledger_change *ret_change);

/* A round compares one complete list with the ledger. Call hf_ledger_begin(), then hf_ledger_item() for every object in
 * the list, then hf_ledger_end(). hf_ledger_item() sets *ret_change to UPSERT, to NOTHING, or to OLD, which means that
 * the subscriber has a newer version. The argument `version` of hf_ledger_end() is the version of the list. The
 * function finds the objects of the ledger that were not in the list. If such an object is not newer than the list, the
 * ledger calls `gone` for the object and forgets it. Pass gone = NULL if the list may be wrong; then no object is gone.
 * A round without hf_ledger_end() changes only the versions of the objects that it reported. */
void hf_ledger_begin(struct hf_ledger *ledger);
HF_MUST_USE int hf_ledger_item(struct hf_ledger *ledger, const char *name, uint64_t version,
                               enum hf_ledger_change *ret_change);
void hf_ledger_end(struct hf_ledger *ledger, uint64_t version, void (*gone)(void *arg, const char *name), void *arg);

/* Call this function when the server continues from lower versions than it sent before, for example after the restore
 * of a backup. The ledger then accepts all versions above `version` again. */
void hf_ledger_rewind(struct hf_ledger *ledger, uint64_t version);

/* From now on the next list item or event of each object of the ledger is reported, whatever its version. After the
 * restore of a backup an object may have a lower version than before, or other content under the same version, although
 * the server is past all versions that it sent before. */
void hf_ledger_renew(struct hf_ledger *ledger);
