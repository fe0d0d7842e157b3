/* SPDX-License-Identifier: Apache-2.0 */
/* The site's order to go back: root writes the file <state>/rollbacks/<release> (codec/state/record.h), the engine
 * reads it. In force while it exists, until a release with a higher sequence is committed. Blocks. Threads: any. */
#pragma once

#include "api/edgeupdate.h"
#include "base/fs.h"
#include "codec/sha256.h"
#include "codec/state/record.h"

#define HF_ORDERS_DIR "rollbacks" /* in the state folder */

enum { HF_ORDER_MAX_BYTES = 4096, HF_ORDER_MAX_REASON = 128, HF_ORDER_MAX_BY = 64 };

struct hf_order {
    char digest[HF_SHA256_HEX]; /* committed release that the site leaves */
    char version[129];          /* for people */
    char reason[HF_ORDER_MAX_REASON];
    char by[HF_ORDER_MAX_BY]; /* giver, as the command knows; or "" */
    uint64_t since_unix_ns;   /* wall clock, may be wrong */
    char refused[257];        /* why it was not followed, which ends it; "": it stands */
};

extern const struct hf_record_type hf_order_type;

/* -ENOENT: none. -EBADMSG: damaged; the file stays. -EOPNOTSUPP: another version. */
HF_MUST_USE int hf_order_load(const struct hf_fs_ops *fs, const char *folder, const char *release,
                              struct hf_order *ret_order, struct hf_err *err);
/* Durable; makes the folder. */
HF_MUST_USE int hf_order_save(const struct hf_fs_ops *fs, const char *folder, const char *release,
                              const struct hf_order *order, struct hf_err *err);
/* Durable; 0 if there is none. */
HF_MUST_USE int hf_order_remove(const struct hf_fs_ops *fs, const char *folder, const char *release,
                                struct hf_err *err);
/* True: same release, same time. */
bool hf_order_is(const struct hf_order *a, const struct hf_order *b);
/* What the site says, for people; `to`: the version before; NULL: unknown. Pure. */
const char *hf_order_text(const struct hf_order *order, const char *to, char *text, size_t n);
