/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/telemetry/source_fixture.h"

#include "audit/log.h"

static struct hf_source *source;
static char folder[192];
static struct hf_audit_log *audit_log;

static void open_log(void)
{
    const struct hf_audit_log_params params = {.fs = world.fs, .clock = world.clock, .dir = folder, .boot = "b"};

    ck_assert_int_eq(hf_audit_log_open(&params, &audit_log, NULL), 0);
}

static void add(unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++) {
        char subject[32];
        (void)snprintf(subject, sizeof(subject), "edge@%u", i);
        hf_audit_log_add(audit_log, HF_AUDIT_UPDATE_REFUSED, subject, "SignatureInvalid", "no key signed it");
    }
    ck_assert_int_eq(hf_audit_log_flush(audit_log, NULL), 0);
}

static void start(void)
{
    const struct hf_telemetry_sources sources = {.audit = true};
    struct hf_err err = HF_ERR_INIT;

    world.audit = folder;
    ck_assert_msg(hf_source_audit_new(&sources, &world, &intake, &source, &err) == 0, "%s", err.cause);
}

static void set_up(void)
{
    fix_set_up();
    (void)snprintf(folder, sizeof(folder), "%s/journal", dir);
    open_log();
    start();
}

static void tear_down(void)
{
    source->free(source);
    hf_audit_log_free(audit_log);
    fix_tear_down();
}

START_TEST(lines_keep_their_bytes)
{
    add(1, 2);
    run_s(11);
    ck_assert_uint_eq(fix.n, 3); /* SegmentStarted and two */
    ck_assert_ptr_nonnull(
        strstr(fix.lines[1], "\"source\":\"audit:UpdateRefused\",\"kind\":\"log\",\"severity\":\"warning\""));
    ck_assert_ptr_nonnull(strstr(fix.lines[1], "\"subject\":\"edge@1\""));
    struct hf_audit_entry entry;
    ck_assert_int_eq(hf_audit_entry_parse(hf_view_of(fix.bodies[2]), &entry, NULL), 0);
    ck_assert_uint_eq(entry.seq, 3);
    run_s(30);
    ck_assert_uint_eq(fix.n, 3);
    add(3, 1);
    run_s(11);
    ck_assert_uint_eq(fix.n, 4);
}
END_TEST

START_TEST(room_and_restart)
{
    fix.room = 5;
    add(1, 150);
    run_s(11);
    ck_assert_uint_eq(fix.n, 5);
    let_go(0);
    run_s(6); /* the position is saved */
    source->free(source);
    fix.room = SIZE_MAX;
    start();
    run_s(1);
    for (int i = 0; i < 10; i++) {
        let_go(0);
        run_s(11);
    }
    ck_assert_uint_eq(fix.n, 151); /* none twice, none missing */
    for (size_t i = 0; i < fix.n; i++) {
        struct hf_audit_entry entry;
        ck_assert_int_eq(hf_audit_entry_parse(hf_view_of(fix.bodies[i]), &entry, NULL), 0);
        ck_assert_uint_eq(entry.seq, i + 1);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, lines_keep_their_bytes);
    tcase_add_test(tc, room_and_restart);
}

HF_TEST_MAIN("telemetry/source_audit", cases)
