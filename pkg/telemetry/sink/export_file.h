/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/export_file.h - a request of a sink as a file: an HTTP/1.1 request message (RFC 9112), which a person
 * carries to the receiver. It holds no credentials: a medium can be lost. Pure. Threads: any. */
#pragma once

#include "loop/http/http.h"

#define HF_EXPORT_ENDING ".http"

enum { HF_EXPORT_NAME = 256, HF_EXPORT_MAX_FIELDS = 4, HF_EXPORT_MAX_BYTES = 4 << 20 };

/* <folder>/<file>: the receiver's host, and "<stream>-<first>-<last>[-<part>].http" of the header Idempotency-Key. So a
 * request that is written again has the same name, on this medium and on any other. */
struct hf_export_place {
    char folder[HF_EXPORT_NAME], file[HF_EXPORT_NAME];
};

/* -EINVAL: a URL that is not absolute, or no usable key. */
HF_MUST_USE int hf_export_file_place(const struct hf_http_request *request, struct hf_export_place *ret_place,
                                     struct hf_err *err);

/* Appends the message to `out`. Of the headers only the four of hf_export_file_fields get in. */
HF_MUST_USE int hf_export_file_format(const struct hf_http_request *request, struct hf_buf *out, struct hf_err *err);

extern const char *const hf_export_file_fields[HF_EXPORT_MAX_FIELDS];

/* A message that was read; views of its text. */
struct hf_export_message {
    struct hf_view target;                       /* "/v1/logs?tenant=1" */
    struct hf_view fields[HF_EXPORT_MAX_FIELDS]; /* values, as hf_export_file_fields; empty: absent */
    struct hf_view body;
};

/* -EBADMSG: cut short, longer than it says, or not of this form. */
HF_MUST_USE int hf_export_file_parse(struct hf_view text, struct hf_export_message *ret_message, struct hf_err *err);
