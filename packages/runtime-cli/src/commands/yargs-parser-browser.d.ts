/** yargs-parser without its imports of Node's util, path and module, which cost a quarter of a start. */
declare module 'yargs-parser/browser' {
  import parser from 'yargs-parser'
  export default parser
}
