/* update/floors/record.h - the record of the floors on disk: all floors of this node, with the value that the floor
 * counter of the TPM has since these floors.
 *
 * The text is a sealed file (codec/seal.h):
 *
 *     value <value of the counter>
 *     blob <sealed key in hex>
 *     floor ...                       (update/floors/book.h)
 *
 * The blob is hf_floor_record_key(), sealed by the TPM of this node (tpm/chip.h). So without this TPM nobody can make a
 * record, or change one: the TPM would open another key, or none. An old record stays valid as a text, and the counter
 * shows that the record is old. The files are <state>/floor-record.0 and .1, with a copy below an update root
 * (update/install/floor_copy.h). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "update/install/target.h"

enum { HF_FLOOR_RECORD_MAX_BYTES = (1 << 20) + 4096, HF_FLOOR_RECORD_KEY = 32 };

/* The views borrow from the text of the record. */
struct hf_floor_record {
    uint64_t value;
    struct hf_view blob, floors;
};

/* The records that a TPM did not open. A search leaves them out. Zero-initialized, it is empty. */
enum { HF_FLOOR_RECORD_MAX_FOREIGN = 12 };
struct hf_floor_record_foreign {
    unsigned n;
    unsigned char sha256[HF_FLOOR_RECORD_MAX_FOREIGN][32]; /* of the whole text */
};
/* Adds a text. Does nothing if there are HF_FLOOR_RECORD_MAX_FOREIGN. Pure. */
void hf_floor_record_add_foreign(struct hf_floor_record_foreign *foreign, struct hf_view text);

/* What a search for the record has found. */
struct hf_floor_record_places {
    bool bad;        /* a file or copy was damaged, does not count, or is unread; the error of the search says which */
    bool unread;     /* a file or copy cannot be read, so the newest record may be there; the error says which */
    bool incomplete; /* not all files, or no copy below a root, have the newest record */
};

/* Appends the text of a record. -E2BIG or -ENOMEM. Pure. */
HF_MUST_USE int hf_floor_record_format(const struct hf_floor_record *record, struct hf_buf *out);
/* Parses the text of a record, but not its floors. -EBADMSG: the text is damaged or has an unknown version. Pure. */
HF_MUST_USE int hf_floor_record_parse(struct hf_view text, struct hf_floor_record *ret_record, struct hf_err *err);
/* Computes what the TPM seals: a hash of the value and the floors. Pure. */
void hf_floor_record_key(uint64_t value, struct hf_view floors, unsigned char key[HF_FLOOR_RECORD_KEY]);

/* Reads the files and the copies below all roots of *target (the field path is not used), and returns the text of the
 * record with the highest value in *text, which must be empty and have max HF_FLOOR_RECORD_MAX_BYTES. *ret_record
 * borrows from *text. -ENOENT: no place that can be read has an undamaged record outside *foreign. Blocks. */
HF_MUST_USE int hf_floor_record_load(const struct hf_target *target, const char *state_dir,
                                     const struct hf_floor_record_foreign *foreign, struct hf_buf *text,
                                     struct hf_floor_record *ret_record, struct hf_floor_record_places *ret_places,
                                     struct hf_err *err);
/* Replaces both files durably. Blocks. */
HF_MUST_USE int hf_floor_record_save(const struct hf_fs_ops *fs, const char *state_dir, struct hf_view text,
                                     struct hf_err *err);
/* Replaces the copy below the first root of *target that takes it. Returns 0 also if there is no root. Blocks. */
HF_MUST_USE int hf_floor_record_copy(const struct hf_target *target, struct hf_view text, struct hf_err *err);
