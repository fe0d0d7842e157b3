/* SPDX-License-Identifier: Apache-2.0 */
/* The floor record on disk: all floors of this node, with the value of the TPM's floor counter. The TPM seals its key,
 * so only a program with access to this TPM can make or change a record. An old record still opens, but the counter
 * shows its age. Files: <state>/floor-record.0 and .1, and a copy below an update root
 * (update/install/floor_copy.h). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "steps/target.h"

enum { HF_FLOOR_RECORD_MAX_BYTES = (1 << 20) + 4096, HF_FLOOR_RECORD_KEY = 32 };

struct hf_floor_record {
    uint64_t value;
    struct hf_view blob, floors;
};

/* Records that the TPM did not open: hf_floor_record_load() ignores them. Zero-initialize. */
enum { HF_FLOOR_RECORD_MAX_FOREIGN = 12 };
struct hf_floor_record_foreign {
    unsigned n;
    unsigned char sha256[HF_FLOOR_RECORD_MAX_FOREIGN][32];
};
/* Adds the record with this text; no effect if full. Pure. */
void hf_floor_record_add_foreign(struct hf_floor_record_foreign *foreign, struct hf_view text);

/* What hf_floor_record_load() found. */
struct hf_floor_record_places {
    /* a file or copy is damaged, unsafe (owner, mode) or unreadable: see *err */
    bool bad;
    /* a file or copy that may be the newest cannot be read: see *err */
    bool unread;
    /* a file is not the newest record, or no copy is (if there are roots) */
    bool incomplete;
};

HF_MUST_USE int hf_floor_record_format(const struct hf_floor_record *record, struct hf_buf *out);
/* Parses all but the floors. -EBADMSG: damaged, or an unknown version. Pure. */
HF_MUST_USE int hf_floor_record_parse(struct hf_view text, struct hf_floor_record *ret_record, struct hf_err *err);
/* Computes the key that the TPM seals: a hash of value and floors. Pure. */
void hf_floor_record_key(uint64_t value, struct hf_view floors, unsigned char key[HF_FLOOR_RECORD_KEY]);

/* Loads the record with the highest value that is not in *foreign, from the files and the copies below all roots of
 * *target (its path and release are not used). *ret_record borrows from *text, which begins empty, with `max`
 * HF_FLOOR_RECORD_MAX_BYTES. -ENOENT: none. Sets *ret_places also after an error. Blocks. */
HF_MUST_USE int hf_floor_record_load(const struct hf_target *target, const char *state_dir,
                                     const struct hf_floor_record_foreign *foreign, struct hf_buf *text,
                                     struct hf_floor_record *ret_record, struct hf_floor_record_places *ret_places,
                                     struct hf_err *err);
HF_MUST_USE int hf_floor_record_save(const struct hf_fs_ops *fs, const char *state_dir, struct hf_view text,
                                     struct hf_err *err);
/* Writes a copy below the first root where that succeeds; 0 if there is no root. Blocks. */
HF_MUST_USE int hf_floor_record_copy(const struct hf_target *target, struct hf_view text, struct hf_err *err);
