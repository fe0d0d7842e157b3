/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling depends only on the event's id (or its source, time, name and body), so an event that comes again gets
 * the same decision, and a larger fraction keeps every event that a smaller fraction keeps.
 *
 * Each rate limit has a token bucket for each source name and owner, so that nobody uses up the rate of another one.
 * One more bucket of each rate limit and owner serves all names that are empty, longer than HF_FILTER_SOURCE, or
 * left without a bucket. The agent's own sources may have all HF_FILTER_BUCKETS, one poster HF_FILTER_OWNED of them,
 * all posters together half. */
#include "telemetry/pipeline/filter.h"

#include "telemetry/event/hash.h"
#include "telemetry/event/match.h"

void hf_filter_init(struct hf_filter *filter, const struct hf_telemetry *spec)
{
    *filter = (struct hf_filter){.spec = spec};
}

void hf_filter_done(struct hf_filter *filter)
{
    free(filter->buckets);
    *filter = (struct hf_filter){0};
}

bool hf_filter_drops(const struct hf_filter *filter, const struct hf_event *event)
{
    for (size_t i = 0; i < filter->spec->n_drops; i++)
        if (hf_match(&filter->spec->drops[i].match, event))
            return true;
    return false;
}

/* Returns the position of an event in 0..1; a sample keeps the events whose position is below its fraction. */
static double sample_position(const struct hf_event *event)
{
    uint64_t hash;

    if (event->id.n > 0) {
        hash = hf_hash64(event->id.p, event->id.n, 0);
    } else {
        hash = hf_hash64(event->source.p, event->source.n, event->unix_ns);
        hash = hf_hash64(event->name.p, event->name.n, hash);
        hash = hf_hash64(event->body.p, event->body.n, hash);
    }
    return (double)(hash >> 11) / 9007199254740992.0; /* 2^53 */
}

static bool in_sample(const struct hf_filter *filter, const struct hf_event *event)
{
    for (size_t i = 0; i < filter->spec->n_samples; i++)
        if (hf_match(&filter->spec->samples[i].match, event))
            return sample_position(event) < filter->spec->samples[i].keep;
    return true;
}

/* ---- rates: token buckets, in units of 10^-9 events -------------------------------------------------------------- */

static uint64_t full_of(const struct hf_telemetry_rate *rate)
{
    return rate->burst * HF_NS_PER_S;
}

static void fill(struct hf_token_bucket *bucket, const struct hf_telemetry_rate *rate, uint64_t now_ns)
{
    uint64_t full = full_of(rate), passed = now_ns - bucket->filled_ns;
    uint64_t missing = full - bucket->tokens_ns;

    bucket->filled_ns = now_ns;
    if (passed > missing / rate->per_second)
        bucket->tokens_ns = full;
    else
        bucket->tokens_ns += passed * rate->per_second;
}

/* The owner whose events a bucket counts. */
struct counted {
    uint32_t rule;
    uint64_t owner;
    struct hf_view source;
};

static bool is_of(const struct hf_token_bucket *bucket, const struct counted *of)
{
    struct hf_view source = of->source;

    return bucket->rule == of->rule && bucket->owner == of->owner && bucket->source_n == source.n &&
           memcmp(bucket->source, source.p, source.n) == 0;
}

/* Returns a bucket to reuse: full again, without a count to report. */
static struct hf_token_bucket *reusable(struct hf_filter *filter, uint64_t now_ns)
{
    for (size_t i = 0; i < filter->n_buckets; i++) {
        struct hf_token_bucket *bucket = &filter->buckets[i];
        const struct hf_telemetry_rate *rate = &filter->spec->rates[bucket->rule];
        fill(bucket, rate, now_ns);
        if (bucket->suppressed == 0 && bucket->tokens_ns == full_of(rate))
            return bucket;
    }
    return NULL;
}

static struct hf_token_bucket *find(struct hf_filter *filter, const struct counted *of)
{
    for (size_t i = 0; i < filter->n_buckets; i++)
        if (is_of(&filter->buckets[i], of))
            return &filter->buckets[i];
    return NULL;
}

/* True if this poster, or all posters together, have as many buckets as they may. */
static bool has_enough(const struct hf_filter *filter, uint64_t owner)
{
    size_t own = 0, posted = 0;

    for (size_t i = 0; i < filter->n_buckets; i++) {
        own += filter->buckets[i].owner == owner;
        posted += filter->buckets[i].owner != HF_OWNER_AGENT;
    }
    return owner != HF_OWNER_AGENT && (own >= HF_FILTER_OWNED || posted >= HF_FILTER_BUCKETS / 2);
}

static struct hf_token_bucket *make(struct hf_filter *filter, const struct counted *of, uint64_t now_ns)
{
    size_t shared = filter->spec->n_rates; /* places kept free for the agent's "*" of each rule */
    struct hf_token_bucket *bucket = NULL;
    bool is_shared = hf_view_eq(of->source, "*"), is_own = of->owner == HF_OWNER_AGENT;

    if (!is_shared && has_enough(filter, of->owner))
        return NULL;
    if (filter->n_buckets + (is_shared && is_own ? 0 : shared) < HF_FILTER_BUCKETS)
        bucket = &filter->buckets[filter->n_buckets++];
    else
        bucket = reusable(filter, now_ns);
    if (bucket == NULL)
        return is_shared ? &filter->buckets[0] : NULL;
    *bucket =
        (struct hf_token_bucket){.rule = of->rule, .owner = of->owner, .filled_ns = now_ns, .source_n = of->source.n};
    bucket->tokens_ns = full_of(&filter->spec->rates[of->rule]);
    memcpy(bucket->source, of->source.p, of->source.n);
    return bucket;
}

static struct hf_token_bucket *bucket_of(struct hf_filter *filter, const struct counted *of, uint64_t now_ns)
{
    const struct counted others = {of->rule, of->owner, HF_VIEW("*")};

    if (of->source.n == 0 || of->source.n > HF_FILTER_SOURCE)
        of = &others;
    struct hf_token_bucket *bucket = find(filter, of);
    if (bucket == NULL)
        bucket = make(filter, of, now_ns);
    if (bucket == NULL)
        bucket = find(filter, &others);
    return bucket != NULL ? bucket : make(filter, &others, now_ns);
}

static bool within_rate(struct hf_filter *filter, const struct hf_event *event, uint64_t now_ns)
{
    const struct hf_telemetry *spec = filter->spec;
    uint32_t rule = 0;

    while (rule < spec->n_rates && !hf_match(&spec->rates[rule].match, event))
        rule++;
    if (rule == spec->n_rates)
        return true;
    if (filter->buckets == NULL)
        filter->buckets = calloc(HF_FILTER_BUCKETS, sizeof(*filter->buckets));
    if (filter->buckets == NULL) /* no memory to count: keep the event */
        return true;
    const struct counted of = {rule, hf_event_owner(event), event->source};
    struct hf_token_bucket *bucket = bucket_of(filter, &of, now_ns);
    fill(bucket, &spec->rates[bucket->rule], now_ns);
    if (bucket->tokens_ns < HF_NS_PER_S) {
        bucket->suppressed++;
        return false;
    }
    filter->taken = bucket;
    return true;
}

enum hf_filter_result hf_filter_judge(struct hf_filter *filter, const struct hf_event *event, uint64_t now_ns)
{
    enum hf_severity severity = event->severity != 0 ? event->severity : HF_SEVERITY_INFO;

    filter->taken = NULL;
    if (event->kind == HF_EVENT_LOG && severity < filter->spec->min_severity)
        return HF_FILTER_BELOW;
    if (!in_sample(filter, event))
        return HF_FILTER_SAMPLED;
    return within_rate(filter, event, now_ns) ? HF_FILTER_KEPT : HF_FILTER_LIMITED;
}

void hf_filter_commit(struct hf_filter *filter)
{
    if (filter->taken != NULL)
        filter->taken->tokens_ns -= HF_NS_PER_S;
    filter->taken = NULL;
}
