/* SPDX-License-Identifier: Apache-2.0 */
/* support/fake_http.h - a scripted HTTP server on a simnet: rows of what to answer, a record of what was asked.
 *
 *     struct hf_fake_http *fake = hf_fake_http_new(loop, proc);
 *     hf_fake_http_on(fake, "GET", "https://files/new", &(struct hf_fake_answer){.body = bytes, .n = n, .ranges = true});
 *     ... hf_fake_http_ops(fake) ...
 *     ck_assert_str_eq(hf_fake_http_asked(fake, 0)->url, "https://files/new");
 *
 * A row answers every request whose method is equal and whose URL starts with its own (longest wins), `times` times (0: always);
 * of equal rows the one added first is used up first. Anything else gets 404. Cuts, delays and rates: hf_fake_http_client(). */
#pragma once

#include "support/fakes/simnet.h"

struct hf_fake_answer {
    unsigned times;
    int status;       /* 0: 200 */
    int fail;         /* negative errno: no answer, the call fails with it */
    size_t cut_after; /* > 0: this many bytes of body, then -EPIPE */
    bool endless;     /* the body is sent again and again */
    bool silent;      /* headers and body, then no end */
    bool ranges;      /* understands Range and If-Range: 206 */
    const void *body; /* borrowed: must outlive the fake */
    size_t n;
    const char *content_type, *etag, *last_modified;
    uint64_t retry_after_ns;
    uint64_t date_unix_ns;
};

struct hf_fake_request {
    char *method, *url;
    char *headers; /* "Name: value\n" ... */
    struct hf_buf body;
    uint64_t at_ns; /* virtual time of arrival */
};

struct hf_fake_http;
struct hf_fake_http *hf_fake_http_new(struct hf_simloop *loop, struct hf_simproc *proc);
void hf_fake_http_free(struct hf_fake_http *fake); /* before the process; calls must be ended or cancelled */
HF_DEFINE_CLEANUP(struct hf_fake_http, hf_fake_http_free)
const struct hf_http_ops *hf_fake_http_ops(struct hf_fake_http *fake);
struct hf_simclient *hf_fake_http_client(struct hf_fake_http *fake); /* for links; the one behind hf_fake_http_ops() */
struct hf_simnet *hf_fake_http_net(struct hf_fake_http *fake);       /* serve more here */

void hf_fake_http_on(struct hf_fake_http *fake, const char *method, const char *url,
                     const struct hf_fake_answer *answer);
void hf_fake_http_clear(struct hf_fake_http *fake); /* forget the rows, keep the record */
size_t hf_fake_http_count(const struct hf_fake_http *fake);
const struct hf_fake_request *hf_fake_http_asked(const struct hf_fake_http *fake, size_t i); /* NULL past the end */
