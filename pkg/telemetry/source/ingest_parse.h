/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/ingest_parse.h - parses the body of POST /ingest into events (telemetry/INGEST.md). Pure.
 *
 * Security: every `source` is "http" or gets the prefix "http:", which no other source of the agent has, so no sender
 * can pose as the journal, a file or the agent.
 *
 * Threads: any, one at a time. No allocation for payloads without escapes. */
#pragma once

#include "codec/scan.h"
#include "codec/sha256.h"
#include "telemetry/event/event.h"

enum {
    HF_INGEST_MAX_ITEMS = 65536,
    HF_INGEST_MAX_MEMBERS = 40,
    HF_INGEST_MAX_TEXT = 256,   /* source, key, boundary, name of an attribute */
    HF_INGEST_MAX_VALUE = 4096, /* value of an attribute */
};

enum { HF_INGEST_NAMED = 48, HF_INGEST_UNIT = 64 };

/* For the answer. `what` and `member` are static; only `named` repeats text of the request: truncated, with '?' for all
 * but letters, digits and "_.-/+". */
struct hf_ingest_fault {
    int status; /* 400, 413, 415, 422; 503 from ingest.c */
    const char *what;
    const char *member;          /* a known member at fault, or NULL */
    char named[HF_INGEST_NAMED]; /* shown instead: an unknown member, or (415) the content type; or "" */
    size_t item;
    size_t line;   /* in the unpacked body, from 1; 0: unknown */
    size_t offset; /* in bytes, there */
};

enum hf_ingest_form { HF_INGEST_ARRAY, HF_INGEST_LINES };

struct hf_ingest_params {
    struct hf_view body; /* unpacked; borrowed as long as the parser lives */
    struct hf_view content_type;
    struct hf_view idempotency_key;
    struct hf_view checksum; /* X-Payload-Checksum or empty */
    uint64_t now_unix_ns;    /* for payloads without a timestamp */
    /* User id (decimal) and unit of the sender as the kernel tells; "" if unknown. Each event gets both. */
    char peer_uid[12];
    char peer_unit[HF_INGEST_UNIT];
    bool trusted; /* second pass: checksums are not verified again */
    /* Where to start: items before, and parser.scan.at after the last of them; else 0. */
    size_t from_item, from_offset;
};

struct hf_ingest_parser {
    struct hf_ingest_params params;
    enum hf_ingest_form form;
    struct hf_scan scan;
    size_t item;
    bool after_item; /* ndjson: next is the end of the line */
    struct hf_buf scratch;
    char hex[HF_SHA256_HEX];
    char made_id[HF_EVENT_MAX_ID + 1];
    char source[sizeof("http:") + HF_INGEST_MAX_TEXT];
};

/* s, ms, us or ns since 1970, by its size. False: not within 1970 to 2261. */
bool hf_ingest_parse_number_time(struct hf_view text, uint64_t *ret_unix_ns);

/* -EBADMSG with *ret_fault. Call end in any case. */
HF_MUST_USE int hf_ingest_parse_begin(struct hf_ingest_parser *parser, const struct hf_ingest_params *params,
                                      struct hf_ingest_fault *ret_fault);
/* 1: an event, valid until the next call. 0: the end. -EBADMSG with *ret_fault. -ENOMEM. */
HF_MUST_USE int hf_ingest_parse_next(struct hf_ingest_parser *parser, struct hf_event *ret_event,
                                     struct hf_ingest_fault *ret_fault);
void hf_ingest_parse_end(struct hf_ingest_parser *parser);
