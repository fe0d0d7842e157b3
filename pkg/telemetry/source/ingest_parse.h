/* telemetry/source/ingest_parse.h - the body of POST /ingest as events, one after the other. Pure; see INGEST.md.
 *
 *     r = hf_ingest_parse_begin(&parser, &request, &fault);
 *     while (r >= 0 && (r = hf_ingest_parse_next(&parser, &event, &fault)) > 0)
 *         ...
 *
 * Nothing is allocated for payloads whose texts have no escapes. Threads: a parser belongs to one. */
#pragma once

#include "codec/sha256.h"
#include "codec/scan.h"
#include "telemetry/event/event.h"

enum {
    HF_INGEST_MAX_ITEMS = 65536,
    HF_INGEST_MAX_MEMBERS = 40,
    HF_INGEST_MAX_TEXT = 256,   /* bytes of source, key, boundary, name of an attribute */
    HF_INGEST_MAX_VALUE = 4096, /* of an attribute */
};

enum { HF_INGEST_NAMED = 48 };

/* Why a body is refused: for the answer. `what` and `member` are static texts. Of the body nothing is quoted but, in `named`, the name of a
 * member that nobody knows; with 415 it is the content type. What is no letter, digit or one of "_.-/+" is '?' in it. */
struct hf_ingest_fault {
    int status; /* 400, 413, 415, 422 */
    const char *what;
    const char *member;          /* NULL: none in particular */
    char named[HF_INGEST_NAMED]; /* instead of `member`; "" none */
    size_t item;                 /* from 0 */
    size_t line;                 /* from 1; 0: the fault has no place */
    size_t offset;               /* in the unpacked body */
};

enum hf_ingest_form { HF_INGEST_ARRAY, HF_INGEST_LINES };

struct hf_ingest_params {
    struct hf_view body; /* unpacked; borrowed as long as the parser */
    struct hf_view content_type;
    struct hf_view idempotency_key;
    struct hf_view checksum;       /* header X-Payload-Checksum */
    uint64_t now_unix_ns;          /* of payloads that say no time */
    bool trusted;                  /* read a second time: checksums are not computed again */
    size_t from_item, from_offset; /* to go on: how many items were read, and parser.scan.at after the last of them */
};

struct hf_ingest_parser {
    struct hf_ingest_params params;
    enum hf_ingest_form form;
    struct hf_scan scan;
    size_t item;
    bool after_item; /* lines: the end of this one comes first */
    struct hf_buf scratch;
    char hex[HF_SHA256_HEX];
    char made_id[HF_EVENT_MAX_ID + 1];
    char source[HF_INGEST_MAX_TEXT + 8];
};

/* 0, or -EBADMSG with *ret_fault. hf_ingest_parse_end() in any case. */
HF_MUST_USE int hf_ingest_parse_begin(struct hf_ingest_parser *parser, const struct hf_ingest_params *params,
                                      struct hf_ingest_fault *ret_fault);
/* 1 and an event, valid until the next call that gives one; 0 at the end; -EBADMSG with *ret_fault; -ENOMEM. */
HF_MUST_USE int hf_ingest_parse_next(struct hf_ingest_parser *parser, struct hf_event *ret_event,
                                     struct hf_ingest_fault *ret_fault);
void hf_ingest_parse_end(struct hf_ingest_parser *parser);
