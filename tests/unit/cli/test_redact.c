/* SPDX-License-Identifier: Apache-2.0 */
/* What a bundle for support leaves out of a text, and what it keeps. */
#include "cli/support/redact.h"

#include <check.h>
#include <string.h>

#include "support/check_main.h"

#define R "[redacted]"
#define PEM "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIPlantedplanted00\n-----END PRIVATE KEY-----"

static const struct {
    const char *text, *wanted;
} texts[] = {
    /* private keys */
    {"a\n" PEM "\nb", "a\n" R "\nb"},
    {"-----BEGIN RSA PRIVATE KEY-----\nplanted\n-----END RSA PRIVATE KEY-----\n", R "\n"},
    {"{\"k\":\"-----BEGIN EC PRIVATE KEY-----\\nplanted\\n-----END EC PRIVATE KEY-----\\n\"}", "{\"k\":\"" R "\\n\"}"},
    {"-----BEGIN PRIVATE KEY-----\nplanted, cut off", R},
    {"-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRI", R},
    {"-----BEGIN PUBLIC KEY-----\nshort\n-----END PUBLIC KEY-----",
     "-----BEGIN PUBLIC KEY-----\nshort\n-----END PUBLIC KEY-----"},
    /* names and values */
    {"{\"token\":\"planted\",\"zone\":\"oslo\"}", "{\"token\":" R ",\"zone\":\"oslo\"}"},
    {"{\"apiKey\": \"pla\\\"nted\", \"n\": 1}", "{\"apiKey\": " R ", \"n\": 1}"},
    {"{\"tokens\":[\"planted\",{\"a\":\"]planted\"}],\"n\":1}", "{\"tokens\":" R ",\"n\":1}"},
    {"{\"message\":\"{\\\"password\\\":\\\"planted\\\"}\"}", "{\"message\":\"{\\\"password\\\":" R},
    {"password: planted with spaces\nzone: oslo\n", "password: " R "\nzone: oslo\n"},
    {"  bearerToken: 'planted'\n  zone: oslo\n", "  bearerToken: " R "\n  zone: oslo\n"},
    {"secretKey: |\n  planted\n  planted\nzone: oslo\n", "secretKey: " R "\nzone: oslo\n"},
    {"credentials:\n  user: planted\n\n  pass: planted\nzone: oslo\n", "credentials:" R "\nzone: oslo\n"},
    {"tokens:\n- planted\n- planted\nzone: oslo\n", "tokens:" R "\nzone: oslo\n"},
    {"- token: planted\n- zone: oslo\n", "- token: " R "\n- zone: oslo\n"},
    {"Authorization: Digest planted=1, planted=2\nHost: a\n", "Authorization: " R "\nHost: a\n"},
    {"Set-Cookie: id=planted; Path=/\n", "Set-Cookie: " R "\n"},
    {"MQTT_PASSWORD=planted ZONE=oslo", "MQTT_PASSWORD=" R " ZONE=oslo"},
    {"curl --token=planted x", "curl --token=" R " x"},
    {"client-key-data: planted==\nserver: a\n", "client-key-data: " R "\nserver: a\n"},
    {"{\"name\":\"DB_PASSWORD\",\"value\":\"planted\"},{\"name\":\"ZONE\",\"value\":\"oslo\"}",
     "{\"name\":\"DB_PASSWORD\",\"value\":" R "},{\"name\":\"ZONE\",\"value\":\"oslo\"}"},
    {"- name: X-Auth-Token\n  value: planted\n- name: zone\n  value: oslo\n",
     "- name: X-Auth-Token\n  value: " R "\n- name: zone\n  value: oslo\n"},
    {"token:", "token:" R},
    {"token: \"planted", "token: " R},
    {"tokenFile: /etc/holdfast/sink.token\n", "tokenFile: /etc/holdfast/sink.token\n"},
    {"secretName: site-keys\nsecretRef: a\n", "secretName: site-keys\nsecretRef: a\n"},
    {"cannot read secrets \"site\" in the namespace", "cannot read secrets \"site\" in the namespace"},
    /* URLs */
    {"GET https://user:planted@a.example.com/x failed", "GET https://" R "@a.example.com/x failed"},
    {"https://planted@a.example.com", "https://" R "@a.example.com"},
    {"https://a.example.com", "https://" R},
    {"https://a.example.com\n", "https://a.example.com\n"},
    {"https://a.example.com/x/y.bin?X-Amz-Signature=planted&a=1: status 403",
     "https://a.example.com/x/y.bin?" R " status 403"},
    {"\"https://a.example.com/x?sig=planted\",", "\"https://a.example.com/x?" R "\","},
    {"GET /ingest?key=planted HTTP/1.1", "GET /ingest?" R " HTTP/1.1"},
    {"mail a@b.example.com; what is this? nothing=1", "mail a@b.example.com; what is this? nothing=1"},
    {"https://a.example.com:8443/releases/edge-1.4.2.bin", "https://a.example.com:8443/releases/edge-1.4.2.bin"},
    /* what is random */
    {"got Bearer planted, and", "got Bearer " R ", and"},
    {"basic cGxhbnRlZA== x", "basic " R " x"},
    {"eyJhbGciOiJFZERTQSIsImtpZCI6IjEifQ.eyJhdWQiOiJwbGFudGVkIn0xMjM0NTY3OA.x1", R "." R ".x1"},
    {"key glpat-Planted00Planted00Pl was", "key " R " was"},
    {"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
     "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
    {"uid 6d0a2f8e-1b6e-4f43-9d0b-0c5b3a2d7e11", "uid 6d0a2f8e-1b6e-4f43-9d0b-0c5b3a2d7e11"},
    {"2026-11-20T08:00:00.123Z edge-inference-abcdefghij SequenceTooLow ReadOnlyFileSystem",
     "2026-11-20T08:00:00.123Z edge-inference-abcdefghij SequenceTooLow ReadOnlyFileSystem"},
    /* what acts on a terminal */
    {"a\tb\033[31m\r\n\xe2\x80\xae"
     "c\x9b\n",
     "a\tb?[31m?\n?c?\n"},
    {"", ""},
};

static void check(struct hf_view text, const char *wanted)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1 << 20);

    ck_assert_int_eq(hf_buf_add_str(&out, "before token: "), 0);
    ck_assert_int_eq(hf_cli_redact(text, &out), 0);
    ck_assert_str_eq(hf_buf_str(&out) + 14, wanted);
}

START_TEST(keeps_what_is_no_secret)
{
    check((struct hf_view){.p = texts[_i].text, .n = strlen(texts[_i].text)}, texts[_i].wanted);
}
END_TEST

/* Cut at any place, as a log is, no text reads past its end, and none lets out the secret behind its name. */
START_TEST(reads_no_byte_too_many)
{
    const char *text = texts[_i].text;

    for (size_t n = 0; n <= strlen(text); n++) {
        _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1 << 20);
        _cleanup_(hf_freep) char *copy = malloc(n + (n == 0));
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, text, n);
        ck_assert_int_eq(hf_cli_redact((struct hf_view){.p = copy, .n = n}, &out), 0);
        ck_assert_msg(strstr(hf_buf_str(&out), "planted") == NULL, "of '%.*s': '%s'", (int)n, text, hf_buf_str(&out));
    }
}
END_TEST

/* Each of these would take hours if it were read again from each of its places. */
START_TEST(reads_each_byte_a_few_times)
{
    static const char *const parts[] = {"?",      "x?",          "://",       "a=",     "token",
                                        "token ", "-----BEGIN ", "\"",        "name: ", "token: [",
                                        "\n- a:", "Bearer ",     "secret:\n", "\\\"",   "://a@"};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20), out = HF_BUF_INIT(8 << 20);

    while (text.n < 1 << 17)
        ck_assert_int_eq(hf_buf_add_str(&text, parts[_i]), 0);
    ck_assert_int_eq(hf_cli_redact(hf_buf_view(&text), &out), 0);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, keeps_what_is_no_secret, 0, HF_LEN(texts));
    tcase_add_loop_test(tc, reads_no_byte_too_many, 0, HF_LEN(texts));
    tcase_add_loop_test(tc, reads_each_byte_a_few_times, 0, 15);
}

HF_TEST_MAIN("cli/redact", cases)
