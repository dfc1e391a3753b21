declare const untyped: any;
export = untyped;
