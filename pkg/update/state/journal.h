/* update/state/journal.h - the durable state of one release: <state>/updates/<release>/journal.
 *
 * The journal is a sealed file (codec/seal.h) of JSON. The engine replaces the file durably before each step starts.
 * The file holds everything that the engine needs to resume without a server, including the release itself.
 * hf_journal_load() renames a file that is damaged or of another format version to journal.damaged.
 *
 * Memory: a struct hf_journal has no pointers; copy it by assignment. Threads: any, but only one at a time for one
 * release. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "update/rules/delta_chain.h"
#include "update/rules/phase.h"
#include "update/rules/reasons.h"

enum {
    HF_JOURNAL_FORMAT = 1,
    HF_JOURNAL_MAX_BYTES = HF_API_MAX_OBJECT_BYTES + (64 << 10),
    HF_UPDATE_MAX_PATH = 1088,   /* with the terminator */
    HF_UPDATE_MAX_VERSION = 129, /* size with the terminator; longer versions are cut */
    HF_UPDATE_MAX_MESSAGE = 257, /* with the terminator */
    HF_UPDATE_MAX_DETOUR = 225,  /* with the terminator */
    HF_UPDATE_MAX_STARTS = 3,    /* after this number of agent starts without a verdict, the engine rolls back */
};

enum hf_update_method { HF_METHOD_NONE, HF_METHOD_DELTA, HF_METHOD_FULL };

/* Numbers come before texts, so that the struct needs no padding. */
struct hf_journal {
    uint64_t time_unix_ns; /* time of the last change of phase */
    /* The current release, or the last release if no update runs. */
    uint64_t sequence;
    uint64_t size; /* bytes of the new file or archive */
    uint64_t bytes_fetched;
    /* History: sequence of the last committed release. */
    uint64_t good_sequence;

    enum hf_phase phase;
    enum hf_reason reason;
    enum hf_install_kind kind;
    enum hf_update_method method;
    unsigned attempts;
    unsigned starts; /* starts of the agent during probation */
    unsigned wasted; /* number of downloads of this release that had the wrong content */

    bool no_delta;  /* no delta of this release is usable, so the engine fetches the whole file */
    bool had_old;   /* the target existed before the update; valid from Fetching on */
    bool probed;    /* the new version is or was in place, and may have run */
    bool restarted; /* the service runs the new version */

    char name[HF_API_MAX_NAME + 1];
    char message[HF_UPDATE_MAX_MESSAGE];
    char digest[HF_SHA256_HEX]; /* digest of spec.release; "" if none */
    char version[HF_UPDATE_MAX_VERSION];
    char path[HF_UPDATE_MAX_PATH];
    char sha256[HF_SHA256_HEX];           /* hash of the new file or archive */
    char from[HF_UPDATE_MAX_VERSION];     /* the version before; "" if unknown */
    char old_sha256[HF_SHA256_HEX];       /* hash of the old file, for kind File with had_old */
    char old_link[HF_UPDATE_MAX_PATH];    /* text of the old link, for kind Tree with had_old */
    char made_folder[HF_UPDATE_MAX_PATH]; /* the topmost folder that a first install made; "" if none */
    char good_digest[HF_SHA256_HEX];      /* digest of the last committed release; "" if none */
    char good_version[HF_UPDATE_MAX_VERSION];
    char bad_digest[HF_SHA256_HEX]; /* digest of the release rolled back last, which is never tried again; "" if none */
    /* If the update does not use the shortest chain: */
    char avoid[HF_DELTA_CHAIN_MAX_AVOID]; /* deltas to leave out: update/rules/delta_chain.h */
    char detour[HF_UPDATE_MAX_DETOUR];    /* explanation for the status; "" if the chain is the shortest */
};

/* Formats a journal. `release` is the part of the EdgeUpdate that wanted.c keeps, or NULL. */
HF_MUST_USE int hf_journal_format(const struct hf_journal *journal, const json_t *release, struct hf_buf *out);

/* Parses a journal. -EBADMSG: the text is damaged. -EOPNOTSUPP: the text has another format version. *ret_release is a
 * new reference, or NULL. */
HF_MUST_USE int hf_journal_parse(struct hf_view text, struct hf_journal *ret_journal, json_t **ret_release,
                                 struct hf_err *err);

/* Loads the journal; blocks. `folder` is <state>/updates/<release>. -ENOENT: no journal. -EBADMSG: the journal was
 * damaged or of another version, and is now set aside. After other errors, the journal could not be read and is
 * unchanged. */
HF_MUST_USE int hf_journal_load(const struct hf_fs_ops *fs, const char *folder, struct hf_journal *ret_journal,
                                json_t **ret_release, struct hf_err *err);

/* Replaces the journal durably by text from hf_journal_format(); makes the folder if it is missing. Blocks. */
HF_MUST_USE int hf_journal_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text,
                                struct hf_err *err);

const char *hf_update_method_name(enum hf_update_method method); /* "", "Delta", "Full" */

/* Returns the installed version according to the journal: the new version in Probation and Committed, "" (unknown) in
 * Swapping and RollingBack, and otherwise the last committed version ("" if none). The string is borrowed. */
const char *hf_journal_installed(const struct hf_journal *journal);
