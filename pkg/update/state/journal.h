/* SPDX-License-Identifier: Apache-2.0 */
/* The durable state of one release, in <state>/updates/<release>/journal (codec/state/record.h): all that the engine
 * needs to resume, with the release itself. Threads: any. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "api/update/phase.h"
#include "api/update/reason.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "codec/state/record.h"
#include "steps/target.h"
#include "update/rules/delta_chain.h"

enum {
    HF_JOURNAL_MAX_BYTES = HF_API_MAX_OBJECT_BYTES + (64 << 10),
    HF_UPDATE_MAX_VERSION = 129, /* with the terminator; longer ones are cut */
    HF_UPDATE_MAX_MESSAGE = 257,
    HF_UPDATE_MAX_DETOUR = 225,
    HF_UPDATE_MAX_STARTS = 3, /* counted starts in one probation; at the last of these it rolls back */
};

enum hf_update_method { HF_METHOD_NONE, HF_METHOD_DELTA, HF_METHOD_FULL, HF_METHOD_KEPT, HF_METHOD_NEIGHBOUR };

/* Verdict of later boots on the last committed release (health.probationBoots). */
enum hf_boots_verdict {
    HF_BOOTS_FINE,
    HF_BOOTS_BAD,   /* it failed after a boot: the node goes back */
    HF_BOOTS_STAYS, /* it failed after a boot, but the node cannot go back */
};

/* Boots of the node, named by the kernel's ids. */
struct hf_journal_boots {
    bool happened;    /* the node has booted the new version */
    char changed[40]; /* boot in which the path's content last changed, with install.reboot; or "" */
    /* from here on: of the last committed release */
    enum hf_boots_verdict verdict;
    unsigned left;   /* boots that still judge this release */
    bool watchdog;   /* watchdog bit of the boot `judged` */
    char judged[40]; /* last boot that judged the release, at first the commit's */
    /* why the verdict is not FINE, or bad_digest was left after a boot; else "" */
    char why[HF_UPDATE_MAX_MESSAGE];
};

struct hf_journal {
    uint64_t time_unix_ns; /* when `phase` last changed, by the wall clock */
    /* good_*: the last committed release, bad_*: the last rolled back, most others: the release in progress, or the
     * most recent */
    uint64_t sequence;
    uint64_t size; /* of the new file or archive */
    uint64_t bytes_fetched;
    uint64_t good_sequence;

    enum hf_phase phase;
    enum hf_reason reason;
    enum hf_install_kind kind;
    enum hf_update_method method;
    unsigned attempts;
    unsigned starts;
    unsigned wasted;
    unsigned changes; /* probations in a row without verdict, mostly because somebody changed the target */

    bool no_delta;
    bool had_old; /* the target existed before the update; valid from Fetching on */
    bool probed;
    bool restarted;
    bool hooked;     /* afterSwap has run */
    bool local;      /* the release is the version before, by the site's order */
    bool good_local; /* the last committed release is `local`: the floors do not know its commit */

    struct hf_journal_boots boots;
    char name[HF_API_MAX_NAME + 1];
    char message[HF_UPDATE_MAX_MESSAGE];
    char digest[HF_SHA256_HEX];
    char version[HF_UPDATE_MAX_VERSION];
    char path[HF_TARGET_MAX_PATH];
    char sha256[HF_SHA256_HEX];
    char from[HF_UPDATE_MAX_VERSION];
    char old_sha256[HF_SHA256_HEX];       /* valid for kind File with had_old */
    char old_link[HF_TARGET_MAX_PATH];    /* kind Tree: text of the old link, if had_old */
    char made_folder[HF_TARGET_MAX_PATH]; /* topmost folder made for the target, or "" */
    char good_digest[HF_SHA256_HEX];
    char good_version[HF_UPDATE_MAX_VERSION];
    char bad_digest[HF_SHA256_HEX];       /* last rolled back or left, never to start again; or "" */
    char avoid[HF_DELTA_CHAIN_MAX_AVOID]; /* deltas not to use */
    char detour[HF_UPDATE_MAX_DETOUR];    /* why not the shortest chain of deltas, for the status; "": it is used */
};

/* `release`: the part of the EdgeUpdate that the journal keeps, or NULL. Pure. */
HF_MUST_USE int hf_journal_format(const struct hf_journal *journal, const json_t *release, struct hf_buf *out);

/* *ret_release is the caller's, or NULL. -EBADMSG: damaged. -EOPNOTSUPP: another format. Pure. */
HF_MUST_USE int hf_journal_parse(struct hf_view text, struct hf_journal *ret_journal, json_t **ret_release,
                                 struct hf_err *err);

/* -ENOENT: no journal. -EBADMSG: damaged or another format; renamed to journal.damaged. After other errors the file
 * stays. Blocks. */
HF_MUST_USE int hf_journal_load(const struct hf_fs_ops *fs, const char *folder, struct hf_journal *ret_journal,
                                json_t **ret_release, struct hf_err *err);

/* Saves durably; makes a missing folder. Blocks. */
HF_MUST_USE int hf_journal_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text,
                                struct hf_err *err);

extern const struct hf_record_type hf_journal_type;

const char *hf_update_method_name(enum hf_update_method method);

/* Returns the version in place: the new one in Probation and Committed, else the one before; borrowed. "": nothing, or
 * unknown, as in Swapping and RollingBack, after a rollback that could not restore, and before drift is repaired. */
const char *hf_journal_installed(const struct hf_journal *journal);
