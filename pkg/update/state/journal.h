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
    HF_UPDATE_MAX_VERSION = 129, /* with the terminator, as the next two; longer ones are cut */
    HF_UPDATE_MAX_MESSAGE = 257,
    HF_UPDATE_MAX_DETOUR = 225,
    HF_UPDATE_MAX_STARTS = 3, /* agent starts in a probation, before it rolls back */
};

enum hf_update_method { HF_METHOD_NONE, HF_METHOD_DELTA, HF_METHOD_FULL, HF_METHOD_KEPT, HF_METHOD_NEIGHBOUR };

/* What the last committed release is worth after boots (health.probationBoots). */
enum hf_boots_verdict {
    HF_BOOTS_FINE,
    HF_BOOTS_BAD,   /* failed after a boot: the node goes back */
    HF_BOOTS_STAYS, /* failed, but the node cannot go back */
};

/* Boots of the node, by the kernel's ids of them. */
struct hf_journal_boots {
    bool happened;    /* the node has booted the new version, which needs that (install.reboot) */
    char changed[40]; /* install.reboot: when the path's content last changed, until the next boot; or "" */
    /* of the last committed release (good_digest): */
    enum hf_boots_verdict verdict;
    unsigned left;                   /* boots that judge it again */
    bool watchdog;                   /* the hardware watchdog's bit in `judged` */
    char judged[40];                 /* judged last, at first the commit's */
    char why[HF_UPDATE_MAX_MESSAGE]; /* of a verdict but FINE, then of bad_digest; "": not after a boot */
};

struct hf_journal {
    uint64_t time_unix_ns; /* last change of phase, wall clock */
    /* of the release in progress, else of the most recent one, as all below but good_* and bad_* */
    uint64_t sequence;
    uint64_t size; /* new file or archive */
    uint64_t bytes_fetched;
    uint64_t good_sequence; /* last committed */

    enum hf_phase phase;
    enum hf_reason reason;
    enum hf_install_kind kind;
    enum hf_update_method method;
    unsigned attempts;
    unsigned starts;  /* of the agent, in this probation */
    unsigned wasted;  /* downloads of wrong content since a person last changed the object */
    unsigned changes; /* probations in a row without verdict: somebody changed the target */

    bool no_delta;   /* none is usable: fetch the whole file */
    bool had_old;    /* the target existed before; valid from Fetching on */
    bool probed;     /* the new version is or was in place */
    bool restarted;  /* service, with the new version */
    bool hooked;     /* afterSwap has run */
    bool local;      /* version before, by the site's order (update/state/order.h) */
    bool good_local; /* last committed release: the floors do not know of this commit */

    struct hf_journal_boots boots;
    char name[HF_API_MAX_NAME + 1];
    char message[HF_UPDATE_MAX_MESSAGE];
    char digest[HF_SHA256_HEX]; /* spec.release, or "" */
    char version[HF_UPDATE_MAX_VERSION];
    char path[HF_TARGET_MAX_PATH];
    char sha256[HF_SHA256_HEX];           /* new file or archive */
    char from[HF_UPDATE_MAX_VERSION];     /* before the update */
    char old_sha256[HF_SHA256_HEX];       /* kind File with had_old */
    char old_link[HF_TARGET_MAX_PATH];    /* its text; kind Tree with had_old */
    char made_folder[HF_TARGET_MAX_PATH]; /* topmost one made for the target, or "" */
    char good_digest[HF_SHA256_HEX];      /* last committed, or "" */
    char good_version[HF_UPDATE_MAX_VERSION];
    char bad_digest[HF_SHA256_HEX];       /* last rolled back, never to start again, or "" */
    char avoid[HF_DELTA_CHAIN_MAX_AVOID]; /* deltas (update/rules/delta_chain.h) */
    char detour[HF_UPDATE_MAX_DETOUR];    /* for the status: why not the shortest chain; "": it is used */
};

/* `release`: `kept` of update/release.h, or NULL. Pure. */
HF_MUST_USE int hf_journal_format(const struct hf_journal *journal, const json_t *release, struct hf_buf *out);

/* -EBADMSG: damaged. -EOPNOTSUPP: another format. *ret_release: owned, or NULL. Pure. */
HF_MUST_USE int hf_journal_parse(struct hf_view text, struct hf_journal *ret_journal, json_t **ret_release,
                                 struct hf_err *err);

/* -ENOENT: none. -EBADMSG: damaged or another format; now journal.damaged. Other errors leave the file. Blocks. */
HF_MUST_USE int hf_journal_load(const struct hf_fs_ops *fs, const char *folder, struct hf_journal *ret_journal,
                                json_t **ret_release, struct hf_err *err);

/* Durable; makes the folder. Blocks. */
HF_MUST_USE int hf_journal_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text,
                                struct hf_err *err);

extern const struct hf_record_type hf_journal_type;

/* "" for HF_METHOD_NONE. */
const char *hf_update_method_name(enum hf_update_method method);

/* Borrowed: the new version in Probation and Committed, else the one before. "": unknown, as in Swapping and
 * RollingBack, after a rollback that could not restore, and before drift is repaired. */
const char *hf_journal_installed(const struct hf_journal *journal);
