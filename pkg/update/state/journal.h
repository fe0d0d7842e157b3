/* update/state/journal.h - where a release stands, in one small file that survives everything: <state>/updates/<release>/journal.
 *
 * A sealed file (codec/seal.h) of JSON. It is replaced durably as a whole before each step is begun (write, sync, then act),
 * and it holds all that is needed to go on without any server: the release itself is inside. A damaged or unknown file is set
 * aside as journal.damaged and reported.
 * Values only, no pointers but the release's tree: a copy is an assignment. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/sha256.h"
#include "codec/json.h"
#include "update/rules/delta_chain.h"
#include "update/rules/phase.h"
#include "update/rules/reasons.h"

enum {
    HF_JOURNAL_FORMAT = 1,
    HF_JOURNAL_MAX_BYTES = HF_API_MAX_OBJECT_BYTES + (64 << 10),
    HF_UPDATE_MAX_PATH = 1088,   /* with the terminator */
    HF_UPDATE_MAX_VERSION = 129, /* with the terminator; longer ones are cut for display */
    HF_UPDATE_MAX_MESSAGE = 257, /* with the terminator */
    HF_UPDATE_MAX_DETOUR = 225,  /* with the terminator */
    HF_UPDATE_MAX_STARTS = 3,    /* agent starts without a verdict before the old version comes back */
};

enum hf_update_method { HF_METHOD_NONE, HF_METHOD_DELTA, HF_METHOD_FULL };

/* Numbers first, texts behind them: grouped by size, not by meaning, so that no room is lost between them. */
struct hf_journal {
    uint64_t time_unix_ns; /* of the last change of phase */
    /* What is being brought about, or was last. */
    uint64_t sequence;
    uint64_t size; /* of the new file, or a tree's archive */
    uint64_t bytes_fetched;
    /* History: of the last committed one. */
    uint64_t good_sequence;

    enum hf_phase phase;
    enum hf_reason reason;
    enum hf_install_kind kind;
    enum hf_update_method method;
    unsigned attempts;
    unsigned starts; /* of the agent during probation */
    unsigned wasted; /* artifacts that came whole for this release and were none of it */

    bool no_delta;  /* a delta was tried and is no good */
    bool had_old;   /* from Fetching on: something was there before */
    bool probed;    /* the new version was in place and may have run */
    bool restarted; /* the service was restarted with it */

    char name[HF_API_MAX_NAME + 1];
    char message[HF_UPDATE_MAX_MESSAGE];
    char digest[HF_SHA256_HEX]; /* of spec.release; "" none */
    char version[HF_UPDATE_MAX_VERSION];
    char path[HF_UPDATE_MAX_PATH];
    char sha256[HF_SHA256_HEX];           /* of the new file, or a tree's archive */
    char from[HF_UPDATE_MAX_VERSION];     /* the version before; "" unknown */
    char old_sha256[HF_SHA256_HEX];       /* kind File, when something was there */
    char old_link[HF_UPDATE_MAX_PATH];    /* kind Tree: the link's text */
    char made_folder[HF_UPDATE_MAX_PATH]; /* the topmost folder made for a first install; "" none */
    char good_digest[HF_SHA256_HEX];      /* last committed; "" none */
    char good_version[HF_UPDATE_MAX_VERSION];
    char bad_digest[HF_SHA256_HEX]; /* last rolled back: not tried again */
    /* What the way taken is not the shortest for. */
    char avoid
        [HF_DELTA_CHAIN_MAX_AVOID]; /* deltas that are not tried again for this release: see update/rules/delta_chain.h */
    char detour[HF_UPDATE_MAX_DETOUR]; /* why, for a person; "" it is the shortest */
};

/* Text of a journal; `release` (spec.release, signatures: an EdgeUpdate's tree reduced to what is needed) may be NULL. */
HF_MUST_USE int hf_journal_format(const struct hf_journal *journal, const json_t *release, struct hf_buf *out);

/* -EBADMSG: damaged; -EOPNOTSUPP: of another format version. *ret_release is a new reference, or NULL. */
HF_MUST_USE int hf_journal_parse(struct hf_view text, struct hf_journal *ret_journal, json_t **ret_release,
                                 struct hf_err *err);

/* Blocks. `folder` is <state>/updates/<release>. -ENOENT: none. -EBADMSG: it was damaged or of another version and is set aside
 * now. Other errors: it could not be read, and nothing was changed. */
HF_MUST_USE int hf_journal_load(const struct hf_fs_ops *fs, const char *folder, struct hf_journal *ret_journal,
                                json_t **ret_release, struct hf_err *err);

/* Durable replacement of the text made by hf_journal_format(); makes the folder. Blocks. */
HF_MUST_USE int hf_journal_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text,
                                struct hf_err *err);

const char *hf_update_method_name(enum hf_update_method method); /* "", "Delta", "Full" */

/* The version that lies at the path, as far as a journal knows: the new one from probation on, else the last committed one. Borrowed;
 * "": not known (nothing was committed yet, or the path is being changed right now). */
const char *hf_journal_installed(const struct hf_journal *journal);
