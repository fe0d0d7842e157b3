/* telemetry-bench: what one event costs on its way, in ns of this CPU. One line per figure: "<name> <ns>".
 *
 * The event is a log line as journald gives it, about 250 bytes as text. Each figure is the best of several rounds, so that what
 * else the machine does counts least. */
#include <errno.h>
#include <sched.h>

#include "telemetry/event.h"

enum { ROUNDS = 9, EVENTS = 200000 };

static const struct hf_event sample = {
    .kind = HF_EVENT_LOG,
    .source_class = HF_SOURCE_JOURNALD,
    .severity = HF_SEVERITY_WARNING,
    .unix_ns = 1795173398123456789ull,
    .id = {"s=3f1c;i=1a2b3c", 15},
    .source = {"journald:edge-inference.service", 31},
    .body = {"frame 18231 of camera 2 took 231 ms, 31 ms more than it may", 59},
    .attributes = {{{"pid", 3}, {"1234", 4}}, {{"unit", 4}, {"edge-inference.service", 22}}},
    .n_attributes = 2,
};

static uint64_t cpu_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void bench_format(void)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    struct hf_event event = sample;

    for (size_t i = 0; i < EVENTS; i++) {
        hf_buf_clear(&line);
        event.unix_ns += 1000;
        if (hf_event_format(&event, "edge-0001", &line) < 0)
            exit(EXIT_FAILURE);
    }
}

static void bench_parse(void)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(HF_EVENT_MAX_TEXT),
                                         scratch = HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    static struct hf_event event;
    struct hf_view node;

    if (hf_event_format(&sample, "edge-0001", &line) < 0)
        exit(EXIT_FAILURE);
    for (size_t i = 0; i < EVENTS; i++)
        if (hf_event_parse(hf_buf_view(&line), &event, &node, &scratch) < 0)
            exit(EXIT_FAILURE);
}

static const struct {
    const char *name;
    void (*run)(void);
} benches[] = {{"format", bench_format}, {"parse", bench_parse}};

int main(void)
{
    for (size_t i = 0; i < HF_LEN(benches); i++) {
        uint64_t best = UINT64_MAX;
        for (int round = 0; round < ROUNDS; round++) {
            uint64_t start = cpu_ns();
            benches[i].run();
            best = HF_MIN(best, cpu_ns() - start);
        }
        printf("%s %.1f\n", benches[i].name, (double)best / EVENTS);
    }
    return EXIT_SUCCESS;
}
