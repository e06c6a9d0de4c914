// The boot loader of an RP2040: brings a flash to what a UF2 file says, read by an implementation that is
// not sudal's.
//
// usage: node loader.mjs FILE.uf2 FLASH
import fs from 'node:fs';
import uf2 from 'uf2';

const { decodeBlock, familyMap } = uf2;
const SECTOR = 4096;
const [from, to] = process.argv.slice(2);
const file = fs.readFileSync(from);
const flash = fs.existsSync(to) ? fs.readFileSync(to) : Buffer.alloc(2 << 20, 0xff);
const erased = new Set();
const count = file.length / 512;

for (let number = 0; number < count; number++) {
  const block = decodeBlock(file.subarray(number * 512, (number + 1) * 512));
  const { boardFamily, blockNumber, totalBlocks, flashAddress, payload } = block;
  const family = familyMap.get(boardFamily);
  if (family !== 'Raspberry Pi RP2040') throw new Error(`block ${number} is for ${family}`);
  if (blockNumber !== number || totalBlocks !== count || payload.length !== 256)
    throw new Error(`block ${number} is number ${blockNumber} of ${totalBlocks}`);
  const at = flashAddress - 0x10000000;
  const sector = at - (at % SECTOR);
  if (!erased.has(sector)) flash.fill(0xff, sector, sector + SECTOR);
  erased.add(sector);
  flash.set(payload, at);
}
fs.writeFileSync(to, flash);
console.log(`${count} blocks for an RP2040`);
