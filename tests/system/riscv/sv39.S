/* sv39.S
 * ONLY 64 */
#define LEVELS 3
#define VBITS 9
#define MODE 8
#include "vm.inc"
