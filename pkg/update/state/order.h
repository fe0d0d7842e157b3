/* SPDX-License-Identifier: Apache-2.0 */
/* The site's order to go back: root writes the file <state>/rollbacks/<release> (codec/state/record.h), the engine
 * reads, marks and removes it. It is in force until it is removed or refused, or a release with a higher sequence is
 * committed. Threads: any. */
#pragma once

#include "api/edgeupdate.h"
#include "base/fs.h"
#include "codec/sha256.h"
#include "codec/state/record.h"

#define HF_ORDERS_DIR "rollbacks"

enum { HF_ORDER_MAX_BYTES = 4096, HF_ORDER_MAX_REASON = 128, HF_ORDER_MAX_BY = 64 };

struct hf_order {
    char digest[HF_SHA256_HEX]; /* of the committed release that the site leaves */
    char version[129];
    char reason[HF_ORDER_MAX_REASON];
    char by[HF_ORDER_MAX_BY]; /* who gave the order, or "" */
    uint64_t since_unix_ns;   /* by the wall clock */
    char refused[257];        /* why the order was refused, which ends it; "": it is in force */
};

extern const struct hf_record_type hf_order_type;

/* -ENOENT: no order. -EBADMSG: the file is damaged, and stays. -EOPNOTSUPP: another version. */
HF_MUST_USE int hf_order_load(const struct hf_fs_ops *fs, const char *folder, const char *release,
                              struct hf_order *ret_order, struct hf_err *err);
/* Durable; makes a missing folder. */
HF_MUST_USE int hf_order_save(const struct hf_fs_ops *fs, const char *folder, const char *release,
                              const struct hf_order *order, struct hf_err *err);
/* Durable; 0 also if there is none. */
HF_MUST_USE int hf_order_remove(const struct hf_fs_ops *fs, const char *folder, const char *release,
                                struct hf_err *err);
bool hf_order_is(const struct hf_order *a, const struct hf_order *b);
/* Describes the order for people; `to`: the version before. Returns NULL if the order is unreadable. Pure. */
const char *hf_order_text(const struct hf_order *order, const char *to, char *text, size_t n);
