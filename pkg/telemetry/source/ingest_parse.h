/* SPDX-License-Identifier: Apache-2.0 */
/* Parses a body of POST /ingest into events (telemetry/INGEST.md). Their `source` begins with "http", so no sender can
 * pose as the journal, a file or the agent. Pure. */
#pragma once

#include "codec/scan.h"
#include "codec/sha256.h"
#include "telemetry/event/event.h"

enum {
    HF_INGEST_MAX_ITEMS = 65536,
    HF_INGEST_MAX_MEMBERS = 40,
    HF_INGEST_MAX_TEXT = 256,   /* bytes of a payload's source, key, boundary, or attribute's name */
    HF_INGEST_MAX_VALUE = 4096, /* bytes of a payload's attribute */
};

enum { HF_INGEST_NAMED = 48, HF_INGEST_UNIT = 64 };

/* Why a body is refused. Texts are static, except `named`, which has '?' for odd characters. */
struct hf_ingest_fault {
    int status; /* 400, 413, 415, 422; or 503 */
    const char *what;
    const char *member;          /* or NULL */
    char named[HF_INGEST_NAMED]; /* unknown member, or the content type of 415; or "" */
    size_t item;
    size_t line; /* line of the unpacked body, from 1; or 0 */
    size_t offset;
};

enum hf_ingest_form { HF_INGEST_ARRAY, HF_INGEST_LINES };

struct hf_ingest_params {
    struct hf_view body;
    struct hf_view content_type;
    struct hf_view idempotency_key;
    struct hf_view checksum; /* X-Payload-Checksum, or empty */
    uint64_t now_unix_ns;    /* for payloads without a timestamp */
    /* The sender's user id (decimal) and systemd unit, from the kernel; or "". */
    char peer_uid[12];
    char peer_unit[HF_INGEST_UNIT];
    bool trusted; /* second pass: checksums are not checked again */
    /* Where to begin: the number of items before, and parser.scan.at after them. */
    size_t from_item, from_offset;
};

struct hf_ingest_parser {
    struct hf_ingest_params params;
    enum hf_ingest_form form;
    struct hf_scan scan;
    size_t item;
    bool after_item; /* ndjson: the line must end next */
    struct hf_buf scratch;
    char hex[HF_SHA256_HEX];
    char made_id[HF_EVENT_MAX_ID + 1];
    char source[sizeof("http:") + HF_INGEST_MAX_TEXT];
};

/* Reads s, ms, us or ns since 1970, told apart by size. False: too long, or not 1970 to mid-2261. */
bool hf_ingest_parse_number_time(struct hf_view text, uint64_t *ret_unix_ns);

/* -EBADMSG: *ret_fault says why. Call hf_ingest_parse_end() in any case. */
HF_MUST_USE int hf_ingest_parse_begin(struct hf_ingest_parser *parser, const struct hf_ingest_params *params,
                                      struct hf_ingest_fault *ret_fault);
/* 1: an event, valid until the next call. 0: the end. -EBADMSG: *ret_fault says why. */
HF_MUST_USE int hf_ingest_parse_next(struct hf_ingest_parser *parser, struct hf_event *ret_event,
                                     struct hf_ingest_fault *ret_fault);
void hf_ingest_parse_end(struct hf_ingest_parser *parser);
