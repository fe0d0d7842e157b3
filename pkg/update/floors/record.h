/* SPDX-License-Identifier: Apache-2.0 */
/* update/floors/record.h - the floor record on disk: all floors of this node, with the value of the TPM's floor counter
 * that belongs to these floors.
 *
 * The text is a sealed file (codec/seal.h):
 *
 *     value <value of the counter>
 *     blob <sealed key in hex>
 *     floor ...                       (update/floors/book.h)
 *
 * The blob is a key that the TPM of this node has sealed (tpm/chip.h). The key is a hash of the value and the floors
 * (hf_floor_record_key()). So only a program with access to this TPM can make or change a record. If another program
 * has written a record, the TPM cannot open the blob, or the key in the blob does not match the content. The TPM opens
 * an old record too, but the counter shows that this record is old. The record is in the files <state>/floor-record.0
 * and .1, with a copy below an update root (update/install/floor_copy.h). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "steps/target.h"

enum { HF_FLOOR_RECORD_MAX_BYTES = (1 << 20) + 4096, HF_FLOOR_RECORD_KEY = 32 };

/* The views borrow from the text of the record. */
struct hf_floor_record {
    uint64_t value; /* value of the floor counter */
    struct hf_view blob, floors;
};

/* The records that the TPM did not open. hf_floor_record_load() ignores these records. Zero-initialize the struct. */
enum { HF_FLOOR_RECORD_MAX_FOREIGN = 12 };
struct hf_floor_record_foreign {
    unsigned n;
    unsigned char sha256[HF_FLOOR_RECORD_MAX_FOREIGN][32]; /* SHA-256 of the whole text of each record */
};
/* Adds the record with this text. Does nothing if *foreign has HF_FLOOR_RECORD_MAX_FOREIGN records already. Pure. */
void hf_floor_record_add_foreign(struct hf_floor_record_foreign *foreign, struct hf_view text);

/* Problems that hf_floor_record_load() found with the files and copies of the record. */
struct hf_floor_record_places {
    /* true if a file or copy is damaged, unsafe (owner or mode) or unreadable; *err describes one of these problems */
    bool bad;
    /* true if a file or copy cannot be read, so that the newest record may be there; *err then describes this
     * problem */
    bool unread;
    /* true if one of the two files does not have the newest record, or if there are roots and no copy below them has
     * the newest record */
    bool incomplete;
};

/* Appends the text of a record. -E2BIG: *out is full. -ENOMEM: out of memory. Pure. */
HF_MUST_USE int hf_floor_record_format(const struct hf_floor_record *record, struct hf_buf *out);
/* Parses the text of a record, but not its floors. -EBADMSG: the text is damaged or has an unknown version. Pure. */
HF_MUST_USE int hf_floor_record_parse(struct hf_view text, struct hf_floor_record *ret_record, struct hf_err *err);
/* Computes the key that the TPM seals: a hash of the value and the floors. Pure. */
void hf_floor_record_key(uint64_t value, struct hf_view floors, unsigned char key[HF_FLOOR_RECORD_KEY]);

/* Reads the files, and the copies below all roots of *target. Does not use target->path and target->release. Ignores
 * the records in *foreign. Of the other records, finds the one with the highest value, and puts its text into *text.
 * *text must be empty, with HF_FLOOR_RECORD_MAX_BYTES as its `max`. *ret_record borrows from *text. -ENOENT: no
 * readable file or copy has a record that is not in *foreign. *ret_places is set also after an error. Blocks. */
HF_MUST_USE int hf_floor_record_load(const struct hf_target *target, const char *state_dir,
                                     const struct hf_floor_record_foreign *foreign, struct hf_buf *text,
                                     struct hf_floor_record *ret_record, struct hf_floor_record_places *ret_places,
                                     struct hf_err *err);
/* Replaces both files durably. Blocks. */
HF_MUST_USE int hf_floor_record_save(const struct hf_fs_ops *fs, const char *state_dir, struct hf_view text,
                                     struct hf_err *err);
/* Tries the roots of *target in order, until it has replaced the copy below one of them. Returns 0 also if there is no
 * root. Blocks. */
HF_MUST_USE int hf_floor_record_copy(const struct hf_target *target, struct hf_view text, struct hf_err *err);
