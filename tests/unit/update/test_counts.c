/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of the updater, as Prometheus reads them. */
#include "support/check_main.h"
#include "support/fakes/simupdate.h"
#include "web/metrics.h"

static struct hf_simupdate *w;
static struct hf_metrics *metrics;

static void setup(void)
{
    metrics = hf_metrics_new();
    ck_assert_ptr_nonnull(metrics);
    w = hf_simupdate_new(0);
    w->metrics = metrics;
    hf_simupdate_put_old(w, "v1");
}

static void teardown(void)
{
    hf_simupdate_free(w);
    hf_metrics_free(metrics);
}

static void update_to(const struct hf_sim_release *release)
{
    hf_simupdate_publish(w, release);
    if (w->engine == NULL)
        hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
}

static void expect(const char *line)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);

    ck_assert_int_eq(hf_metrics_format(metrics, &text), 0);
    ck_assert_msg(strstr(hf_buf_str(&text), line) != NULL, "%s is not in\n%s", line, hf_buf_str(&text));
}

static double value(const char *name)
{
    return hf_metric_value(hf_metric_counter(metrics, name, ""));
}

START_TEST(outcomes)
{
    update_to(&(struct hf_sim_release){.content = "v2", .delta_from = "v1"});
    expect("holdfast_update_outcomes_total{outcome=\"Committed\",reason=\"HealthPassed\"} 1\n");
    double fetched = value("holdfast_update_fetched_bytes_total"), saved = value("holdfast_update_saved_bytes_total");
    ck_assert(fetched > 0 && fetched < 5000);
    ck_assert(fetched + saved >= HF_SIM_CONTENT && fetched + saved <= HF_SIM_CONTENT);
    update_to(&(struct hf_sim_release){.content = "broken", .sequence = 3});
    expect("holdfast_update_outcomes_total{outcome=\"RolledBack\",reason=\"HealthDeadline\"} 1\n");
    expect("holdfast_update_rollbacks_total 1\n");
    update_to(&(struct hf_sim_release){.content = "v3", .sequence = 1});
    expect("holdfast_update_outcomes_total{outcome=\"Rejected\",reason=\"SequenceTooLow\"} 1\n");
    expect("holdfast_update_drift_repairs_total 0\n");
    ck_assert(value("holdfast_update_saved_bytes_total") >= saved &&
              value("holdfast_update_saved_bytes_total") <= saved);
}
END_TEST

START_TEST(failed_attempts)
{
    w->answer.status = 404;
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2"});
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 5 * 60 * HF_NS_PER_S);
    ck_assert_uint_gt(hf_simupdate_see(w, "app").attempts, 1);
    expect("holdfast_update_failed_attempts_total{reason=\"DownloadRefused\"} ");
}
END_TEST

/* Somebody overwrites the committed file: one repair, counted once, and not again after a restart. */
START_TEST(drift_repairs)
{
    size_t n;
    const void *stray = hf_sim_content("stray", &n);

    update_to(&(struct hf_sim_release){.content = "v2", .delta_from = "v1"});
    hf_simfs_put(w->fs, HF_SIM_TARGET, stray, n, 0755);
    for (unsigned i = 0; i < 10; i++) {
        hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
        hf_simupdate_look(w);
    }
    ck_assert(hf_simupdate_settle(w));
    ck_assert_str_eq(hf_simupdate_target(w, HF_SIM_TARGET), "v2");
    expect("holdfast_update_drift_repairs_total 1\n");
    expect("holdfast_update_outcomes_total{outcome=\"Committed\",reason=\"HealthPassed\"} 2\n");
    hf_simupdate_stop(w);
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("holdfast_update_outcomes_total{outcome=\"Committed\",reason=\"HealthPassed\"} 2\n");
}
END_TEST

/* A process does not count the bytes that an earlier one has received. */
START_TEST(bytes_of_an_earlier_life)
{
    w->answer.cut_after = 20000;
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2"});
    hf_simupdate_boot(w);
    for (unsigned i = 0; i < 100000 && value("holdfast_update_fetched_bytes_total") < 20000; i++)
        hf_simupdate_run_for(w, 1000000);
    hf_simupdate_stop(w);
    w->answer.cut_after = 0;
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    double fetched = value("holdfast_update_fetched_bytes_total");
    ck_assert_msg(fetched >= HF_SIM_CONTENT && fetched < HF_SIM_CONTENT + 20000, "%g", fetched);
    ck_assert(fetched <= (double)hf_simupdate_see(w, "app").bytes_fetched);
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, outcomes);
    tcase_add_test(tc, failed_attempts);
    tcase_add_test(tc, drift_repairs);
    tcase_add_test(tc, bytes_of_an_earlier_life);
}

HF_TEST_MAIN("update/counts", all)
