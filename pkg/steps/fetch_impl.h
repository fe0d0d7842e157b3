/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by fetch.c (loop) and fetch_work.c (workers). */
#pragma once

#include <stdatomic.h>

#include "oci/registry/token.h"
#include "steps/fetch.h"
#include "steps/fetch_record.h"

enum { HF_FETCH_HEAD = 6, HF_FETCH_SLACK = 64 << 10 };
enum fetch_work_kind { WORK_PREPARE, WORK_ACCESS, WORK_WRITE, WORK_COPY, WORK_FINAL };

struct fetch_work {
    struct hf_job job;
    enum fetch_work_kind kind;
    /* parameters */
    const char *bytes;
    size_t n;
    uint64_t at, reserve;
    bool first, truncate, sync, drop;
    struct hf_fetch_record record;
    /* results */
    int r;
    struct hf_failure failure;
    bool already;
    uint64_t copied;
};

struct fetch_result {
    int r;
    struct hf_failure failure;
    uint64_t retry_after_ns;
    bool hopeless;
};

/* The URLs of a download, one after the other. */
struct fetch_try {
    struct hf_tries tries;
    size_t at;
    struct hf_access_ticket ticket;
    bool answered;
    bool served;
    bool from_zero; /* ask for all bytes, not the remainder */
    bool renew;
    unsigned renewals;
    bool denied; /* a registry answered 401 to ask for a token */
    char *token; /* header line; NULL: none yet */
    struct hf_oci_token_ask ask;
    struct hf_buf answer; /* has the token */
    char mirror[96];
    struct fetch_result own; /* failure of the URL itself while mirrors are tried; r 0: none */
};

struct hf_fetch {
    struct hf_fetch_params p;
    struct fetch_work work;
    bool busy, freed;
    void (*gone)(void *arg);
    void *gone_arg;
    atomic_bool cancel;
    struct hf_http_call *call;
    struct hf_timer *timer; /* watches the minimum speed; also delivers the result in the next iteration */
    bool delivering;
    int fd;
    struct { /* fetch.now: progress after a kill */
        int fd;
        char boot[40];
        bool noted;
    } now;
    struct hf_fetch_record record; /* what the next save writes, except `offset`, `wire` and `complete` */
    bool unsaved;
    unsigned char head[HF_FETCH_HEAD];
    size_t head_n;
    char *fill, *writing; /* 2 * HF_FETCH_BUFFER each; NULL until needed */
    size_t fill_n;
    uint64_t fill_at;
    uint64_t expected;
    uint64_t synced_at_ns, written_at_ns, minute_bytes;
    bool restart, paused, ended, drop;
    struct fetch_result result;
    struct fetch_try try;
    char oddity[120];
};

void hf_fetch_work_do(struct hf_job *job);
void hf_fetch_work_close(struct hf_fetch *fetch);
/* Does `head` begin a .zst or .xz? */
bool hf_fetch_work_is_packed(const unsigned char *head, size_t n);
