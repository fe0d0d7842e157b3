/* SPDX-License-Identifier: Apache-2.0 */
/* Formats and parses a sink's request as an HTTP/1.1 message (RFC 9112), without credentials, because a medium can be
 * lost. Pure. */
#pragma once

#include "loop/http/http.h"

#define HF_EXPORT_ENDING ".http"

enum { HF_EXPORT_NAME = 256, HF_EXPORT_MAX_FIELDS = 4, HF_EXPORT_MAX_BYTES = 4 << 20 };

/* Where a request is kept: folder (the receiver's host) and file, "<stream>-<first>-<last>[-<part>].http", made of
 * Idempotency-Key. */
struct hf_export_place {
    char folder[HF_EXPORT_NAME], file[HF_EXPORT_NAME];
};

/* -EINVAL: relative URL, or no usable Idempotency-Key. */
HF_MUST_USE int hf_export_file_place(const struct hf_http_request *request, struct hf_export_place *ret_place,
                                     struct hf_err *err);

HF_MUST_USE int hf_export_file_format(const struct hf_http_request *request, struct hf_buf *out, struct hf_err *err);

extern const char *const hf_export_file_fields[HF_EXPORT_MAX_FIELDS];

/* A parsed message; borrows. */
struct hf_export_message {
    struct hf_view target;                       /* "/v1/logs?tenant=1" */
    struct hf_view fields[HF_EXPORT_MAX_FIELDS]; /* in the order of hf_export_file_fields */
    struct hf_view body;
};

/* -EBADMSG: cut off, too long, or of another form. */
HF_MUST_USE int hf_export_file_parse(struct hf_view text, struct hf_export_message *ret_message, struct hf_err *err);
