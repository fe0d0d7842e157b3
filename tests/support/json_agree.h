/* SPDX-License-Identifier: Apache-2.0 */
/* support/json_agree.h - asks everything that accepts JSON for its opinion of one text. They all follow the rule of codec/scan.h. */
#pragma once

#include "base/buf.h"

enum json_verdict {
    JSON_REFUSED,
    JSON_ACCEPTED,
    JSON_ACCEPTED_WITH_ZERO, /* has U+0000, which a tree cannot hold */
};

/* *ret_complaint: NULL when all acceptors agree, else which one does not (static text). */
enum json_verdict json_ask_all(struct hf_view text, const char **ret_complaint);
