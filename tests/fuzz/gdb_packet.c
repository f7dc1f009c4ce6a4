/* gdb_packet.c: bytes from a debugger; what comes out as a packet goes through the argument readers. */
#include "fuzz.h"
#include "control/gdb_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gdb_in in;
    memset(&in, 0, sizeof in);
    for (size_t i = 0; i < size; i++) {
        if (gdb_in_byte(&in, data[i]) != GE_PACKET) continue;
        FUZZ_CHECK(in.len <= GDB_PACKET && !in.data[in.len]);
        const char *s = in.data;
        uint64_t v;
        uint8_t bytes[16];
        gdb_hex(&s, &v);
        gdb_skip(&s, ',');
        gdb_hex_bytes(&s, bytes, sizeof bytes);
        FUZZ_CHECK(s <= in.data + in.len);
    }
    return 0;
}
